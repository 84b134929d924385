/** Making, copying and recycling call frames and states: the main cost, since every branch copies and every checkpoint keeps one. */
import { PTR_TO_STACK } from '../targets/types.js';
import { NOT_INIT_REG, markKnownZero, markNotInit } from './domain/scalar.js';
import { State } from './env.js';
import type { Env } from './env.js';
import { MAX_CALL_FRAMES } from './limits.js';
import { markStateScratched } from './log/scratch.js';
import { Frame, Reg, StackSlot } from './state.js';
import type { ReadonlyReg, ReadonlySlot } from './state.js';

/** What a slot that was never used holds. Shared, and never written to. */
const EMPTY_SLOT: ReadonlySlot = new StackSlot();

/** R10 of each frame. Shared, and never written to. */
const FRAME_POINTERS: readonly ReadonlyReg[] = Array.from({ length: MAX_CALL_FRAMES }, (_, frameno) => {
  const reg = new Reg();
  markKnownZero(reg);
  reg.type = PTR_TO_STACK;
  reg.frame = frameno;
  return reg;
});

/** A frame of unspecified contents and no stack. */
export function allocFrame(env: Env): Frame {
  return env.framePool.pop() ?? new Frame(null);
}

/** Gives a frame back that no state has any more. */
export function releaseFrame(env: Env, frame: Frame): void {
  env.framePool.push(frame);
}

/** Gives a path's state back: nothing refers to it once the path has ended. */
export function releaseState(env: Env, state: State): void {
  for (const frame of state.frames) releaseFrame(env, frame);
  state.frames.length = 0;
  env.statePool.push(state);
}

/** Makes the frame's stack at least `bytes` deep, and its subprogram's depth with it (grow_stack_state). */
export function growStack(env: Env, frame: Frame, bytes: number): void {
  const slots = (bytes + 7) >> 3;
  if (frame.stack.length >= slots) return;
  while (frame.stack.length < slots) frame.stack.push(EMPTY_SLOT);
  const subprogram = env.subprograms[frame.subprog]!;
  if (subprogram.stackDepth < slots * 8) subprogram.stackDepth = slots * 8;
}

/** A register becomes one that may not be read. */
export function forgetReg(frame: Frame, r: number): void {
  const own = frame.soleReg(r);
  if (own === null) frame.setReg(r, NOT_INIT_REG);
  else markNotInit(own);
}

/** A frame as a function is entered with it: nothing but the frame pointer is known (init_func_state). */
export function initFrame(env: Env, frame: Frame, callsite: number, frameno: number, subprog: number): void {
  frame.clearStack();
  frame.live.reset();
  frame.clearPrecise();
  frame.references = [];
  frame.callsite = callsite;
  frame.frameno = frameno;
  frame.subprog = subprog;
  frame.asyncEntryCount = 0;
  frame.inCallbackFn = false;
  frame.inAsyncCallbackFn = false;
  frame.inExceptionCallbackFn = false;
  frame.callbackDepth = 0;
  frame.callbackRet = [0, 0];
  frame.clearRegs(NOT_INIT_REG, FRAME_POINTERS[frameno]!);
  markStateScratched(env);
}

/** A copy of a frame; the two share registers and slots until one changes them. */
function copyFrame(env: Env, from: Frame): Frame {
  const to = allocFrame(env);
  to.takeRegs(from);
  return copyRest(to, from);
}

/** A copy of a frame to be kept. Frames that paths have given back hold registers of their own, which these would waste. */
function keepFrame(from: Frame): Frame {
  return copyRest(new Frame(from), from);
}

function copyRest(to: Frame, from: Frame): Frame {
  to.live.copyFrom(from.live);
  to.shareStack(from);
  to.clearPrecise();
  to.references = from.references.length === 0 ? [] : from.references.slice();
  to.callsite = from.callsite;
  to.frameno = from.frameno;
  to.subprog = from.subprog;
  to.asyncEntryCount = from.asyncEntryCount;
  to.inCallbackFn = from.inCallbackFn;
  to.inAsyncCallbackFn = from.inAsyncCallbackFn;
  to.inExceptionCallbackFn = from.inExceptionCallbackFn;
  to.callbackDepth = from.callbackDepth;
  to.callbackRet = from.callbackRet;
  return to;
}

/** A copy of a state to go on with (copy_verifier_state); only `insnIdx` is not taken over. */
export function copyState(env: Env, from: State): State {
  const to = env.statePool.pop() ?? new State();
  for (let i = 0; i <= from.currentFrame; i++) to.frames.push(copyFrame(env, from.frames[i]!));
  copyFlags(to, from);
  return to;
}

/** A copy of a state to be kept: nothing of it but liveness and precision will change. */
export function keepState(from: State): State {
  const to = new State();
  for (let i = 0; i <= from.currentFrame; i++) to.frames.push(keepFrame(from.frames[i]!));
  copyFlags(to, from);
  return to;
}

function copyFlags(to: State, from: State): void {
  to.parent = from.parent;
  to.branches = from.branches;
  to.firstInsnIdx = from.firstInsnIdx;
  to.lastInsnIdx = from.lastInsnIdx;
  to.historyStart = from.historyStart;
  to.historyEnd = from.historyEnd;
  to.currentFrame = from.currentFrame;
  to.speculative = from.speculative;
  to.activeLockId = from.activeLockId;
  to.activeLockPtr = from.activeLockPtr;
  to.activeRcuLock = from.activeRcuLock;
  to.activePreemptLocks = from.activePreemptLocks;
  to.usedAsLoopEntry = from.usedAsLoopEntry;
  to.inSleepable = from.inSleepable;
  to.dfsDepth = from.dfsDepth;
  to.callbackUnrollDepth = from.callbackUnrollDepth;
  to.mayGotoDepth = from.mayGotoDepth;
  to.loopEntry = from.loopEntry;
}
