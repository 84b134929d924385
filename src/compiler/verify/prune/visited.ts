/**
 * Whether the current state need not be explored, since one before it at the same instruction was at least as general;
 * and whether it is to be kept for later ones (is_state_visited, Linux 6.12, with all of its heuristics: they decide how
 * many instructions are processed).
 */
import { WALK } from '../refusals/walk.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import type { Env, State } from '../env.js';
import { keepState } from '../frames.js';
import { writeSourceLine } from '../log/source.js';
import { printState } from '../log/state.js';
import { MAX_KEPT_STATES } from '../limits.js';
import { STACK_ITER } from '../state.js';
import { cleanIfFinished } from './clean.js';
import { EXACT, NOT_EXACT, RANGE_WITHIN, sameInnermostRegs, statesEqual } from './equal.js';
import { exploredIndex } from './explored.js';
import { pushJumpHistory } from './history.js';
import { propagateLiveness } from './liveness.js';
import { loopEntryOf, updateLoopEntry } from './loops.js';
import { propagatePrecision } from './precision.js';

/** Histories longer than this get a checkpoint, so that tracing back stays short. */
const MAX_HISTORY = 40;
/** Since the last checkpoint: too little to keep a state for. */
const MIN_JUMPS = 2;
const MIN_INSNS = 8;
/** The same, in a loop: iterations differ, and states of every one of them help little. */
const MIN_LOOP_JUMPS = 20;
const MIN_LOOP_INSNS = 100;
/** Misses allowed for each hit before a state is dropped, and for one that loops must converge at. */
const MISS_FACTOR = 3;
const CHECKPOINT_MISS_FACTOR = 64;

/** More states of one instruction are not kept for a process without CAP_BPF. */
const MAX_UNPRIVILEGED_STATES = 64;

const ITER_ACTIVE = 1;

/** The path may be cut off here. */
export const PRUNED = 1;

/** What comparing with one kept state came to. */
type Verdict = 'hit' | 'miss' | 'loop-miss' | number;

function isMayGoto(env: Env, i: number): boolean {
  return env.insns.opcode(i) === (op.JMP | op.JCOND) && env.insns.src(i) === 0;
}

/** Some iterator is in another iteration: it moves on, however alike the states are. */
function iterDepthsDiffer(old: State, cur: State): boolean {
  for (let f = old.currentFrame; f >= 0; f--) {
    const { stack } = old.frames[f]!;
    for (let i = 0; i < stack.length; i++) {
      if (stack[i]!.kind(0) !== STACK_ITER) continue;
      const iter = stack[i]!.spilled;
      if (iter.iterState !== ITER_ACTIVE) continue;
      if (cur.frames[f]!.stack[i]!.spilled.iterDepth !== iter.iterDepth) return true;
    }
  }
  return false;
}

/** The iterator that the call at hand advances has not run out. */
function iteratorActive(state: State): boolean {
  const argument = state.frame.regs[1]!;
  const slot = (-(argument.off + argument.valueLo) - 1) >> 3;
  return state.frames[argument.frame]!.stack[slot]!.spilled.iterState === ITER_ACTIVE;
}

function reportInfiniteLoop(env: Env, old: State, insn: number): number {
  const cur = env.state;
  writeSourceLine(env, insn, '; ');
  const errno = refuse(env, WALK.infiniteLoop, insn);
  env.log.write('cur state:');
  printState(env, cur.frame, true);
  env.log.write('old state:');
  printState(env, old.frames[cur.currentFrame]!, true);
  return errno;
}

/** Compares with a state that the current path has come through itself: a loop. */
function compareOnPath(env: Env, old: State, insn: number): Verdict {
  const cur = env.state;
  const frame = old.frame;
  if (frame.inAsyncCallbackFn && frame.asyncEntryCount !== cur.frame.asyncEntryCount) return 'loop-miss';
  const facts = env.facts[insn]!;
  if (facts.isIterNext) {
    if (statesEqual(env, old, cur, RANGE_WITHIN) && iteratorActive(cur)) {
      updateLoopEntry(cur, old);
      return 'hit';
    }
    return 'loop-miss';
  }
  if (isMayGoto(env, insn) && old.mayGotoDepth !== cur.mayGotoDepth && statesEqual(env, old, cur, RANGE_WITHIN)) {
    updateLoopEntry(cur, old);
    return 'hit';
  }
  if (facts.callsCallback) return statesEqual(env, old, cur, RANGE_WITHIN) ? 'hit' : 'loop-miss';
  if (
    sameInnermostRegs(old, cur) &&
    statesEqual(env, old, cur, EXACT) &&
    !iterDepthsDiffer(old, cur) &&
    old.mayGotoDepth === cur.mayGotoDepth &&
    old.callbackUnrollDepth === cur.callbackUnrollDepth
  ) {
    return reportInfiniteLoop(env, old, insn);
  }
  return 'loop-miss';
}

/** Compares with a state all of whose paths have ended. */
function compareFinished(env: Env, old: State): Verdict {
  const entry = loopEntryOf(old);
  const inOpenLoop = entry !== null && entry.branches > 0;
  if (!statesEqual(env, old, env.state, inOpenLoop ? RANGE_WITHIN : NOT_EXACT)) return 'miss';
  if (inOpenLoop) updateLoopEntry(env.state, entry);
  return 'hit';
}

/** The current path ends in a state that was found safe: what that one needs of its past, this one needs of its own. */
function prune(env: Env, kept: State): number {
  kept.hits++;
  let err = propagateLiveness(env, kept, env.state);
  if (env.facts[env.insnIdx]!.jumpPoint && err === 0) err = pushJumpHistory(env, 0);
  if (err === 0) err = propagatePrecision(env, kept);
  return err === 0 ? PRUNED : err;
}

/** Whether a state has missed too often to be of use. */
function isUseless(env: Env, kept: State, insn: number): boolean {
  const factor = env.facts[insn]!.forceCheckpoint && kept.branches > 0 ? CHECKPOINT_MISS_FACTOR : MISS_FACTOR;
  return kept.misses > kept.hits * factor + factor;
}

function drop(env: Env, kept: State): void {
  kept.next = null; // others may hold it, and must not hold the whole list
  // As a parent it may still be walked, and counts.
  if (kept.cleaned && !kept.usedAsLoopEntry) env.peakStates--;
}

/** Keeps a copy of the current state, which becomes its parent, in the list at `index`. */
function addState(env: Env, insn: number, index: number): void {
  const cur = env.state;
  const previous = cur.parent;
  env.totalStates++;
  env.peakStates++;
  env.prevJumpsProcessed = env.jumpsProcessed;
  env.prevInsnProcessed = env.insnProcessed;
  const kept = keepState(cur);
  kept.insnIdx = insn;
  cur.parent = kept;
  cur.firstInsnIdx = insn;
  cur.historyStart = cur.historyEnd;
  cur.dfsDepth = kept.dfsDepth + 1;
  kept.next = env.explored[index]!;
  env.explored[index] = kept;
  // Reads in what follows are reads of the kept state; writes before it are none of what follows.
  for (let f = 0; f < cur.currentFrame; f++) cur.frames[f]!.live.beginWaiting(f, cur.frames[f]!.stack.length, previous);
  cur.frame.live.begin(cur.currentFrame, cur.frame.stack.length);
}

/** At a prune point: PRUNED where the path may be cut off, 0 where it goes on, or an errno. */
export function visitState(env: Env, insn: number): number {
  const cur = env.state;
  const jumps = env.jumpsProcessed - env.prevJumpsProcessed;
  const insns = env.insnProcessed - env.prevInsnProcessed;
  const force =
    env.testStateFreq || env.facts[insn]!.forceCheckpoint || cur.historyEnd - cur.historyStart > MAX_HISTORY;
  let add = force || (jumps >= MIN_JUMPS && insns >= MIN_INSNS);
  const index = exploredIndex(env, insn);
  let previous: State | null = null;
  let kept: State | null = env.explored[index]!;
  let count = 0;
  while (kept !== null) {
    count++;
    const next: State | null = kept.next;
    if (kept.insnIdx !== insn) {
      previous = kept;
      kept = next;
      continue;
    }
    cleanIfFinished(kept, cur);
    const verdict = kept.branches > 0 ? compareOnPath(env, kept, insn) : compareFinished(env, kept);
    if (verdict === 'hit') return prune(env, kept);
    if (typeof verdict === 'number') return verdict;
    if (verdict === 'loop-miss' && !force && jumps < MIN_LOOP_JUMPS && insns < MIN_LOOP_INSNS) add = false;
    if (add) kept.misses++;
    if (isUseless(env, kept, insn)) {
      if (previous === null) env.explored[index] = next;
      else previous.next = next;
      drop(env, kept);
    } else previous = kept;
    kept = next;
  }
  if (env.maxStatesPerInsn < count) env.maxStatesPerInsn = count;
  if (!add || (!env.capable && count > MAX_UNPRIVILEGED_STATES)) return 0;
  if (env.peakStates >= MAX_KEPT_STATES) {
    return refuse(env, WALK.tooManyStates, MAX_KEPT_STATES);
  }
  addState(env, insn, index);
  return 0;
}
