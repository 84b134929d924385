/**
 * Walks all instructions depth first, in the kernel's order: finds unreachable ones and marks where the search for equal
 * states happens (prune points), where histories bend (jump points) and what jumps lead to (check_cfg, Linux 6.12).
 */
import { STRUCTURE } from '../refusals/structure.js';
import { refuse } from '../refusals/refuse.js';
import * as op from '../../isa/opcodes.js';
import { KF_ITER_NEXT } from '../../targets/profile.js';
import { fetchKernelFunction, isAsyncCallbackCallingInsn, isSyncCallbackCallingInsn } from '../kernel/functions.js';
import type { Env } from '../env.js';
import { writeSourceLine } from '../log/source.js';
import { findContainingSubprog, isHelperCall, isKernelFunctionCall, isPseudoFunc } from './subprograms.js';

const DISCOVERED = 0x10;
const EXPLORED = 0x20;
const FALLTHROUGH = 1;
const BRANCH = 2;

/** Answers of a visit that are no errno. */
const DONE = 0;
const KEEP_EXPLORING = 1;

interface Walk {
  readonly env: Env;
  /** DISCOVERED with the edges followed, or EXPLORED. */
  readonly state: Int32Array;
  readonly stack: Int32Array;
  depth: number;
}

function markPoint(env: Env, i: number): void {
  const facts = env.facts[i]!;
  facts.prunePoint = true;
  facts.jumpPoint = true;
}

/** Follows the edge from instruction `from` to `to`. */
function follow(walk: Walk, from: number, to: number, edge: number): number {
  const { env, state } = walk;
  if (state[from]! >= (DISCOVERED | edge)) return DONE;
  if (to < 0 || to >= env.insns.length) {
    env.place = from;
    writeSourceLine(env, from, `${from}: `);
    return refuse(env, STRUCTURE.jumpOutOfRange, from, to);
  }
  if (edge === BRANCH) {
    markPoint(env, to);
    env.facts[to]!.jumpTarget = true;
  }
  if (state[to] === 0) {
    state[from] = DISCOVERED | edge;
    state[to] = DISCOVERED;
    if (walk.depth >= env.insns.length) return refuse(env, STRUCTURE.walkTooDeep);
    walk.stack[walk.depth++] = to;
    return KEEP_EXPLORING;
  }
  if (state[to] === EXPLORED) {
    state[from] = DISCOVERED | edge;
    return DONE;
  }
  // A back edge is left to the search, which knows whether the loop ends; it takes CAP_BPF.
  if (env.capable) return DONE;
  writeSourceLine(env, from, `${from}: `);
  writeSourceLine(env, to, `${to}: `);
  return refuse(env, STRUCTURE.backEdge, from, to);
}

function slotsOf(env: Env, i: number): number {
  return env.insns.opcode(i) === op.LD_IMM64 ? 2 : 1;
}

/** A call, or a reference to a callback: what comes behind it first, then the callee. */
function visitCall(walk: Walk, i: number, visitCallee: boolean): number {
  const { env } = walk;
  const next = i + slotsOf(env, i);
  const err = follow(walk, i, next, FALLTHROUGH);
  if (err !== DONE) return err;
  markPoint(env, next);
  if (!visitCallee) return DONE;
  const callee = i + env.insns.imm(i) + 1;
  env.facts[i]!.prunePoint = true;
  // The callee is explored by now, if it is no recursion: what it does, its caller does.
  if (findContainingSubprog(env, callee)!.changesPktData) findContainingSubprog(env, i)!.changesPktData = true;
  return follow(walk, i, callee, BRANCH);
}

/** Marks that a call needs by what it calls. */
function markCallee(env: Env, i: number): void {
  const facts = env.facts[i]!;
  // Before it arms the callback anew, an equal state must be looked for.
  if (isAsyncCallbackCallingInsn(env, i)) facts.prunePoint = true;
  // Callbacks return to the call itself, where iterations are compared.
  if (isSyncCallbackCallingInsn(env, i)) {
    facts.callsCallback = true;
    facts.forceCheckpoint = true;
    markPoint(env, i);
  }
  if (isHelperCall(env, i) && env.profile.helperChangesPacket(env.insns.imm(i))) {
    findContainingSubprog(env, i)!.changesPktData = true;
  }
  if (!isKernelFunctionCall(env, i)) return;
  const callee = fetchKernelFunction(env, i);
  if (callee !== null && (callee.flags & KF_ITER_NEXT) !== 0) {
    facts.prunePoint = true;
    facts.forceCheckpoint = true;
  }
}

function visitGoto(walk: Walk, i: number): number {
  const { env } = walk;
  const opcode = env.insns.opcode(i);
  if ((opcode & op.X) !== 0) return refuse(env, STRUCTURE.gotoByRegister);
  const target = i + 1 + ((opcode & op.CLASS_MASK) === op.JMP ? env.insns.off(i) : env.insns.imm(i));
  const err = follow(walk, i, target, FALLTHROUGH);
  if (err !== DONE) return err;
  markPoint(env, target);
  env.facts[target]!.jumpTarget = true;
  return DONE;
}

function visit(walk: Walk, i: number): number {
  const { env } = walk;
  const opcode = env.insns.opcode(i);
  if (isPseudoFunc(env, i)) return visitCall(walk, i, true);
  const insnClass = opcode & op.CLASS_MASK;
  if (insnClass !== op.JMP && insnClass !== op.JMP32) return follow(walk, i, i + slotsOf(env, i), FALLTHROUGH);
  switch (opcode & op.OP_MASK) {
    case op.EXIT:
      return DONE;
    case op.CALL:
      markCallee(env, i);
      return visitCall(walk, i, env.insns.src(i) === op.PSEUDO_CALL);
    case op.JA:
      return visitGoto(walk, i);
    default: {
      env.facts[i]!.prunePoint = true;
      if (opcode === (op.JMP | op.JCOND) && env.insns.src(i) === 0) env.facts[i]!.forceCheckpoint = true;
      const err = follow(walk, i, i + 1, FALLTHROUGH);
      return err !== DONE ? err : follow(walk, i, i + env.insns.off(i) + 1, BRANCH);
    }
  }
}

function walkFrom(walk: Walk, start: number): number {
  walk.state[start] = DISCOVERED;
  walk.stack[0] = start;
  walk.depth = 1;
  while (walk.depth > 0) {
    const i = walk.stack[walk.depth - 1]!;
    const result = visit(walk, i);
    if (result < 0) return result;
    if (result === KEEP_EXPLORING) continue;
    walk.state[i] = EXPLORED;
    walk.depth--;
  }
  return 0;
}

function checkAllExplored(env: Env, state: Int32Array): number {
  for (let i = 0; i < env.insns.length; i++) {
    env.place = i;
    if (state[i] !== EXPLORED) {
      return refuse(env, STRUCTURE.unreachable, i);
    }
    if (env.insns.opcode(i) !== op.LD_IMM64) continue;
    if (state[i + 1] !== 0) {
      return refuse(env, STRUCTURE.jumpIntoConstant, i);
    }
    i++;
  }
  return 0;
}

export function checkCfg(env: Env): number {
  const count = env.insns.length;
  const walk: Walk = { env, state: new Int32Array(count), stack: new Int32Array(count), depth: 0 };
  let err = walkFrom(walk, 0);
  if (err === 0 && env.exceptionCallbackSubprog !== 0) {
    err = walkFrom(walk, env.subprograms[env.exceptionCallbackSubprog]!.start);
  }
  return err !== 0 ? err : checkAllExplored(env, walk.state);
}
