/**
 * One verification: the program, what is known so far, and the place we are at.
 *
 * Convention of every check below `verify/`: it answers 0, or a negative errno after writing its sentence to the log, as
 * the kernel's verifier does. Errnos stand in errno.ts.
 */
import type { Btf } from '../btf/btf.js';
import type { Instructions } from '../isa/instructions.js';
import type { Program } from '../load/program.js';
import type { Profile } from '../targets/profile.js';
import type { Facts } from './facts.js';
import type { VerifierLog } from './log/log.js';
import type { VerifierMap } from './map.js';
import type { Frame, Reg, Reference } from './state.js';

/** State of one path: its call frames and what holds beyond them (struct bpf_verifier_state). */
export class State {
  frames: Frame[] = [];
  /** The state this one was forked from, for liveness, precision and loop detection. */
  parent: State | null = null;
  branches = 0;
  insnIdx = 0;
  firstInsnIdx = 0;
  lastInsnIdx = 0;
  /** Jumps walked since the parent: [instruction, previous instruction, flags] triples, see prune/. */
  jumpHistory: number[] = [];
  currentFrame = 0;
  speculative = false;
  activeLockId = 0;
  activeLockPtr: unknown = null;
  activeRcuLock = false;
  activePreemptLocks = 0;
  usedAsLoopEntry = false;
  inSleepable = false;
  dfsDepth = 0;
  callbackUnrollDepth = 0;
  mayGotoDepth = 0;
  loopEntry: State | null = null;

  get frame(): Frame {
    return this.frames[this.currentFrame]!;
  }
}

/** A subprogram: instructions [start, next one's start). Subprogram 0 is the program itself. */
export class Subprogram {
  start = 0;
  name = '';
  /** Index into line information of its first line. */
  lineInfoIdx = 0;
  stackDepth = 0;
  hasTailCall = false;
  tailCallReachable = false;
  hasLdAbs = false;
  isCallback = false;
  isAsyncCallback = false;
  isExceptionCallback = false;
  isGlobal = false;
  called = false;
  argsCached = false;
  args: unknown[] = [];
  changesPktData = false;
  mightSleep = false;
  fastcallStackOff = 0;
  keepFastcallStack = false;
}

/** The verifier's working set (struct bpf_verifier_env). Every run is privileged: root with CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN. */
export interface Env {
  readonly program: Program;
  readonly profile: Profile;
  /** Working copy of the program's instructions: what is resolved while verifying is written here. */
  readonly insns: Instructions;
  readonly facts: Facts[];
  readonly maps: readonly VerifierMap[];
  /** The program's own BTF. */
  readonly btf: Btf | null;
  subprograms: Subprogram[];
  readonly log: VerifierLog;

  /** Current path and place. */
  state: State;
  insnIdx: number;
  prevInsnIdx: number;
  insnProcessed: number;

  /** Next id for registers and references (++env.idGen). */
  idGen: number;

  /** Program facts that some checks settle and others read. */
  strictAlignment: boolean;
  sleepable: boolean;
  /** What BTF-typed contexts are typed by: prototype id in attachBtf, and the attach point's name. */
  attachFuncProto: number;
  attachFuncName: string;
  attachBtf: Btf | null;
  attachBtfId: number;
  attachBtfTrace: boolean;
  seenDirectWrite: boolean;
  seenException: boolean;
  exceptionCallbackSubprog: number;
  usesArena: boolean;
  maxCtxOffset: number;
  maxPktOffset: number;
  maxTpAccess: number;
  maxRdonlyAccess: number;
  maxRdwrAccess: number;

  /** The feature of the second half that this program needs; set by unsupported(). */
  missingFeature: string | null;
}

/** The register of the current frame. */
export function currentRegs(env: Env): Reg[] {
  return env.state.frames[env.state.currentFrame]!.regs;
}

/** Refuses a program that needs what this verifier cannot judge yet. Never "no", never a pass: failure code UNSUPPORTED. */
export function unsupported(env: Env, feature: string): number {
  env.missingFeature ??= feature;
  env.log.write(`bpf-jitd: not supported yet: ${feature}\n`);
  return -95;
}

export type { Reference };
