/**
 * One verification: the program, what is known so far, and the place we are at.
 *
 * Convention of every check below `verify/`: it answers 0, or a negative errno after writing its sentence to the log, as
 * the kernel's verifier does. Errnos stand in errno.ts.
 */
import type { Btf } from '../btf/btf.js';
import type { DisassemblyNames } from '../isa/disassemble.js';
import type { BtfRecord } from '../btf/record.js';
import type { Instructions } from '../isa/instructions.js';
import type { LineInfo, Program } from '../load/program.js';
import { CAP_BPF, CAP_PERFMON, isCapable } from '../targets/capabilities.js';
import type { Profile } from '../targets/profile.js';
import { SCALAR_VALUE } from '../targets/types.js';
import type { KernelFunction } from './kernel/functions.js';
import type { KernelTypes } from './kernel/types.js';
import { setKnown } from './domain/scalar.js';
import { Facts } from './facts.js';
import type { VerifierLog } from './log/log.js';
import type { VerifierMap } from './map.js';
import { MemoryAccess } from './memory/access.js';
import { BacktrackMasks } from './prune/masks.js';
import { IdMap } from './prune/id-map.js';
import { JumpHistory } from './prune/history.js';
import type { Refused, Wording } from './refusals/refusal.js';
import type { FunctionArgument } from './structure/global-arguments.js';
import { Reg } from './state.js';
import type { Frame, ReadonlyReg, Reference } from './state.js';

/** State of one path: its call frames and what holds beyond them (struct bpf_verifier_state). */
export class State {
  frames: Frame[] = [];
  /** The checkpoint this path went through last, for liveness, precision and loop detection. */
  parent: State | null = null;
  /** Paths through this state that are still to be explored. */
  branches = 0;
  insnIdx = 0;
  firstInsnIdx = 0;
  lastInsnIdx = 0;
  /** Its part [historyStart, historyEnd) of env.history. */
  historyStart = 0;
  historyEnd = 0;
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
  /** A kept state: the one kept before it in the same list, and how often later ones were compared with it. */
  next: State | null = null;
  hits = 0;
  misses = 0;
  /** Its marks are final, and what nobody reads is gone from it. */
  cleaned = false;
  /** Where it differed from the state that it was last compared with, for `statesEqual`; -1 where no one place did. */
  mismatch = -1;

  get frame(): Frame {
    return this.frames[this.currentFrame]!;
  }
}

/** A path put off: where it goes on, and how long the log was when it was (struct bpf_verifier_stack_elem). */
export interface PendingPath {
  readonly state: State;
  readonly insnIdx: number;
  readonly prevInsnIdx: number;
  readonly logPosition: number;
}

/** A subprogram: instructions [start, next one's start). Subprogram 0 is the program itself. */
export class Subprogram {
  start = 0;
  /** BTF id of its function, 0 without function information. */
  typeId = 0;
  /** LINKAGE_…; static where there is no function information. */
  linkage = 0;
  /** Its BTF prototype does not tell what it is called with. */
  unreliable = false;
  stackDepth = 0;
  hasTailCall = false;
  tailCallReachable = false;
  hasLdAbs = false;
  isCallback = false;
  isAsyncCallback = false;
  isExceptionCallback = false;
  /** Global functions: called from verified code, and verified on its own. */
  called = false;
  verified = false;
  argsCached = false;
  args: FunctionArgument[] = [];
  changesPktData = false;
  /** Stack below this offset is used by bpf_fastcall spills only; 0 where there are none. */
  fastcallStackOff = 0;
  keepFastcallStack = false;
}

/** The verifier's working set (struct bpf_verifier_env). */
export class Env {
  readonly facts: Facts[] = [];
  /** Sorted by start. */
  subprograms: Subprogram[] = [];
  /** Checked line information, null where the program has none. */
  lineInfo: readonly LineInfo[] | null = null;
  hasFuncInfo = false;

  /** Current path and place. */
  state: State = new State();
  insnIdx = 0;
  prevInsnIdx = -1;
  insnProcessed = 0;
  /** Whether instructions are walked; else the one that a check outside of the walk is at, -1 for none. */
  walking = false;
  place = -1;

  /** Next id for registers and references (++env.idGen). */
  idGen = 0;

  /** With CAP_BPF: functions, loops, precision by need, scalars kept when they are spilled. */
  readonly capable: boolean;
  /** With CAP_PERFMON: pointers may become numbers, stack be read that was never written. */
  readonly allowPtrLeaks: boolean;
  readonly allowUninitStack: boolean;
  /** Nothing is to be done against speculation past bounds (v1), or past stores (v4). */
  readonly bypassSpecV1: boolean;
  readonly bypassSpecV4: boolean;
  /** Pointers were moved by unknown distances under masks: no two different scalars count as alike. */
  exploreAluLimits = false;

  /** Program facts that some checks settle and others read. */
  strictAlignment = false;
  sleepable = false;
  testStateFreq = false;
  testRegInvariants = false;
  gplCompatible = false;
  /** As checks see it: fixed up where the kernel does, and the target's for freplace programs. */
  progType = 0;
  expectedAttachType = 0;
  /** What BTF-typed contexts are typed by: prototype id in attachBtf, and the attach point's name. */
  attachFuncProto = 0;
  attachFuncName = '';
  attachBtf: Btf | null = null;
  attachBtfId = 0;
  attachBtfTrace = false;
  seenDirectWrite = false;
  /** What context accesses noted for the conversion of others (ContextAccess.notes). */
  contextNotes = 0;
  seenException = false;
  exceptionCallbackSubprog = 0;
  /** Index of the arena map, -1 where there is none. */
  arenaMap = -1;
  /** Indices of the maps in the order in which instructions first name them. */
  readonly usedMaps: number[] = [];
  maxCtxOffset = 0;
  maxPktOffset = 0;
  maxTpAccess = 0;
  maxRdonlyAccess = 0;
  maxRdwrAccess = 0;

  /** Kernel functions that the program calls, by BTF id and module. */
  readonly kernelFunctions = new Set<string>();
  /** What each call of one means, by instruction, found on first use; null where it may not be called. */
  readonly kernelCalls = new Map<number, KernelFunction | null>();
  /** Members of the kernel's table of contexts by program type, found on first use. */
  readonly contextMembers = new Map<number, number>();
  /** The kernel's types by name, found on first use. */
  kernelTypes: KernelTypes | null = null;
  /** Special fields of the program's own structs. */
  structRecords: ReadonlyMap<number, BtfRecord> = new Map();

  /** Search. */
  readonly pending: PendingPath[] = [];
  readonly explored: (State | null)[];
  readonly history = new JumpHistory();
  /** Entry of the history that the current instruction has made, -1 for none. */
  historyEntry = -1;
  readonly masks = new BacktrackMasks();
  readonly idMap = new IdMap();
  /** Where the states differ that are being compared. */
  mismatch = -1;
  jumpsProcessed = 0;
  prevJumpsProcessed = 0;
  prevInsnProcessed = 0;
  totalStates = 0;
  peakStates = 0;
  maxStatesPerInsn = 0;
  longestMarkReadWalk = 0;
  /** Recycled objects: states are copied at every branch. */
  readonly framePool: Frame[] = [];
  readonly statePool: State[] = [];
  /** Registers that stand for an immediate operand: scalars of which nothing but the value ever changes. */
  readonly immediateReg = scalar();
  readonly immediateRegCopy = scalar();

  /** The access to memory that is being checked. */
  readonly access = new MemoryAccess();

  /** What the log has still to tell of: registers and stack slots changed since they were printed last. */
  scratchedRegs = 0;
  scratchedStackLo = 0;
  scratchedStackHi = 0;
  /** Index of the line information printed last, -1 for none. */
  prevLineInfo = -1;
  /** Characters of source lines in the log, by index of the line information, counted when first asked for. */
  readonly lineLengths: number[] = [];
  prevLogPosition = 0;
  prevInsnPrintLength = 0;
  /** Instructions as the log shows them, made when first shown. */
  readonly insnTexts: (string | undefined)[] = [];
  disassemblyNames: DisassemblyNames | null = null;

  /** The refusal at hand, null as long as there is none; and what this kernel says in words of its own. */
  refused: Refused | null = null;
  wording: Wording = {};

  constructor(
    readonly program: Program,
    readonly profile: Profile,
    /** Working copy of the program's instructions: what is resolved while verifying is written here. */
    readonly insns: Instructions,
    readonly maps: readonly VerifierMap[],
    /** The program's own BTF. */
    readonly btf: Btf | null,
    readonly log: VerifierLog,
  ) {
    const may = (capability: number): boolean => isCapable(program.capabilities, capability);
    this.capable = may(CAP_BPF);
    this.allowPtrLeaks = may(CAP_PERFMON);
    this.allowUninitStack = may(CAP_PERFMON);
    this.bypassSpecV1 = may(CAP_PERFMON);
    this.bypassSpecV4 = may(CAP_PERFMON) || profile.jitBypassesSpecV4;
    this.explored = new Array<State | null>(insns.length).fill(null);
    for (let i = 0; i < insns.length; i++) {
      const facts = new Facts();
      facts.original = i;
      this.facts.push(facts);
    }
  }
}

/** The registers of the current frame, to be looked at. */
export function currentRegs(env: Env): ReadonlyReg[] {
  return env.state.frames[env.state.currentFrame]!.regs;
}

/** A register of the current frame, to be changed. What was read of it before is out of date. */
export function ownReg(env: Env, r: number): Reg {
  return env.state.frames[env.state.currentFrame]!.ownReg(r);
}

function scalar(): Reg {
  const reg = new Reg();
  reg.type = SCALAR_VALUE;
  return reg;
}

/** The immediate as a register, good until the next one. */
export function immediateOperand(env: Env, imm: number): Reg {
  setKnown(env.immediateReg, imm >> 31, imm);
  return env.immediateReg;
}

export type { Reference };
