/**
 * What the verifier learnt of each instruction, for the rewrites (the kernel's struct bpf_insn_aux_data, 6.12).
 * One object an instruction, made once; rewrites that insert instructions carry them along.
 */
import type { Btf } from '../btf/btf.js';
import type { ContextLayout } from '../targets/profile.js';
import type { VerifierMap } from './map.js';
import type { BtfRecord } from '../btf/record.js';

/** Masking of ADD and SUB: both operands are scalars, so nothing is masked; on other paths nothing may be. */
export const MASK_NOTHING = 1;
/** The offset to mask is in the source, or in the destination (`scalar += pointer`). */
export const MASK_SRC = 2;
export const MASK_DST = 4;
/** It is negative on every path; it is the same constant on every path. */
export const MASK_NEGATIVE = 8;
export const MASK_CONSTANT = 16;

export class Facts {
  /** Index of the instruction in the program as it was handed in. */
  original = 0;
  /** Walked at least once; what was not is dead. */
  seen = 0;
  /** Base pointer type that a load or store goes through, 0 where it was not a memory access; mixed types are refused. */
  ptrType = 0;
  /** Context accesses: the layout that allowed it, and the width of the field a narrow load is cut from. */
  context: ContextLayout | null = null;
  ctxFieldSize = 0;
  /** Helper calls that take one map: its index in the program's table, -1 none, -2 several. */
  mapIndex = -1;
  /** That map, inner maps included. */
  map: VerifierMap | null = null;
  /** Tail calls and map operations with a constant key: -1 unknown, -2 several. */
  mapKey = -1;
  /** LD_IMM64 of a map or map value: index and offset in the value. */
  immMapIndex = -1;
  immMapOff = 0;
  /** The address that the log shows of it: of arenas alone it is known. */
  immAddressHi = 0;
  immAddressLo = 0;
  /** LD_IMM64 of a kernel variable or function: its BTF id and BTF, the type of the pointer, and what that points to. */
  btfVarId = 0;
  btfVarBtf: Btf | null = null;
  btfVarRegType = 0;
  btfVarTypeId = 0;
  btfVarMemSize = 0;
  /** bpf_loop: inline it, with this callback. */
  loopInline = false;
  callbackSubprog = -1;
  /** The destination's upper half must be cleared by hand (not on arm64, whose JIT does it). */
  zeroExtend = false;
  /** bpf_get_storage and friends: allocate with GFP_ATOMIC. */
  storageGetAtomic = false;
  isIterNext = false;
  callWithPercpuAlloc = false;
  /** Kernel functions on allocated objects and graph nodes. */
  objNewSize = 0;
  graphNodeOffset = 0;
  record: BtfRecord | null = null;
  /** The type in the program's BTF that `record` is of. */
  recordTypeId = 0;
  /** bpf_fastcall: part of a spill/fill pattern, and how many spills stand around the call. */
  fastcallPattern = false;
  fastcallSpills = 0;
  /** 64-bit arithmetic on an arena pointer, which is done in 32 bits (needs_zext). */
  needsCast = false;
  /** Pointer arithmetic without CAP_PERFMON: MASK_…, and how far the pointer may move. */
  mask = 0;
  maskLimit = 0;
  /** A store over what a load behind it must not see any more, even speculatively. */
  needsBarrier = false;
  /** Search: points where states are compared or always stored. */
  prunePoint = false;
  forceCheckpoint = false;
  jumpPoint = false;
  jumpTarget = false;
  callsCallback = false;
}
