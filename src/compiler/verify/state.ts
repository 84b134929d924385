/**
 * What the verifier knows at one point of a program: registers, stack and call frames.
 *
 * 64-bit values are kept as two 32-bit halves in plain fields (`xHi`, `xLo`, both int32, so that V8 stores them as small
 * integers without allocation); BigInt would cost an allocation per operation. Field groups follow the verifier's own
 * terms (Documentation/bpf/verifier.rst, include/linux/bpf_verifier.h of Linux 6.12).
 */
import type { Btf } from '../btf/btf.js';
import type { VerifierMap } from './map.js';

/** Liveness marks (enum bpf_reg_liveness). */
export const LIVE_NONE = 0;
export const LIVE_READ32 = 1;
export const LIVE_READ64 = 2;
export const LIVE_READ = 3;
export const LIVE_WRITTEN = 4;
export const LIVE_DONE = 8;

/** Flag of a scalar's id: it equals the other registers of that id plus its own `off` (BPF_ADD_CONST). */
export const ADD_CONST = 0x80000000 | 0;

/** What one byte of a stack slot holds (enum bpf_stack_slot_type). */
export const STACK_INVALID = 0;
export const STACK_SPILL = 1;
export const STACK_MISC = 2;
export const STACK_ZERO = 3;
export const STACK_DYNPTR = 4;
export const STACK_ITER = 5;

/** One register, or one spilled register. */
export class Reg {
  /** Base type and flags, see targets/types.ts (REG_* and PTR_* of the kernel's enum bpf_reg_type). */
  type = 0;
  /** Fixed part of a pointer's offset. */
  off = 0;
  /** Packet pointers: bytes known readable behind the pointer. */
  range = 0;
  /** CONST_PTR_TO_MAP, PTR_TO_MAP_VALUE, PTR_TO_MAP_KEY: the map, and which lookup of an inner map it came from. */
  map: VerifierMap | null = null;
  mapUid = 0;
  /** PTR_TO_BTF_ID: type id in btf. */
  btf: Btf | null = null;
  btfId = 0;
  /** PTR_TO_MEM: bytes; and the dynptr it is a slice of. */
  memSize = 0;
  dynptrId = 0;
  /** Dynptr slots: enum bpf_dynptr_type, whether this is the first of the two. */
  dynptrType = 0;
  dynptrFirst = false;
  /** Iterator slots: btf/btfId say which, state (1 active, 2 drained) and depth how far. */
  iterState = 0;
  iterDepth = 0;
  /** PTR_TO_FUNC: subprogram index. */
  subprog = 0;
  /** Irq-flag and other future slot data live beside these. */

  /** Registers with equal ids hold equal values (ADD_CONST flag: value plus `off`). */
  id = 0;
  /** The acquired reference this pointer stands for. */
  refObjId = 0;

  /** Known bits: value and mask (1 = unknown) of the whole 64 bits. */
  valueHi = 0;
  valueLo = 0;
  maskHi = 0;
  maskLo = 0;
  /** Signed and unsigned 64-bit bounds. */
  sminHi = 0;
  sminLo = 0;
  smaxHi = 0;
  smaxLo = 0;
  uminHi = 0;
  uminLo = 0;
  umaxHi = 0;
  umaxLo = 0;
  /** Signed and unsigned 32-bit bounds (unsigned ones stored as int32 bit patterns: compare with `>>> 0`). */
  s32min = 0;
  s32max = 0;
  u32min = 0;
  u32max = 0;

  /** PTR_TO_STACK: the frame pointed into. */
  frame = 0;
  /** Instruction + 1 that last wrote only the low half, 0 where none (subreg_def: zero-extension). */
  subregDef = 0;
  /** LIVE_…: how this value is read, propagated to `parent`, the same register of the parent state. */
  live = LIVE_NONE;
  parent: Reg | null = null;
  /** The scalar's exact value matters to what was decided. */
  precise = false;

  /** Takes over everything, liveness and parentage included. */
  copyFrom(o: Reg): void {
    this.type = o.type;
    this.off = o.off;
    this.range = o.range;
    this.map = o.map;
    this.mapUid = o.mapUid;
    this.btf = o.btf;
    this.btfId = o.btfId;
    this.memSize = o.memSize;
    this.dynptrId = o.dynptrId;
    this.dynptrType = o.dynptrType;
    this.dynptrFirst = o.dynptrFirst;
    this.iterState = o.iterState;
    this.iterDepth = o.iterDepth;
    this.subprog = o.subprog;
    this.id = o.id;
    this.refObjId = o.refObjId;
    this.valueHi = o.valueHi;
    this.valueLo = o.valueLo;
    this.maskHi = o.maskHi;
    this.maskLo = o.maskLo;
    this.sminHi = o.sminHi;
    this.sminLo = o.sminLo;
    this.smaxHi = o.smaxHi;
    this.smaxLo = o.smaxLo;
    this.uminHi = o.uminHi;
    this.uminLo = o.uminLo;
    this.umaxHi = o.umaxHi;
    this.umaxLo = o.umaxLo;
    this.s32min = o.s32min;
    this.s32max = o.s32max;
    this.u32min = o.u32min;
    this.u32max = o.u32max;
    this.frame = o.frame;
    this.subregDef = o.subregDef;
    this.live = o.live;
    this.parent = o.parent;
    this.precise = o.precise;
  }

  /** Takes over the value, but keeps its own place in the parentage and its own write mark (copy_register_state). */
  copyValueFrom(o: Reg): void {
    const parent = this.parent;
    const live = this.live;
    this.copyFrom(o);
    this.parent = parent;
    this.live = live;
  }

  clone(): Reg {
    const r = new Reg();
    r.copyFrom(this);
    return r;
  }
}

/** Eight bytes of stack. Slot k of a frame covers fp-8(k+1) … fp-8k-1. */
export class StackSlot {
  readonly spilled = new Reg();
  /** STACK_… of each byte; byte 7 is the lowest-numbered written by a 1-byte store at fp-8k-8 … see Documentation. */
  readonly bytes: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
}

/** An acquired reference that the program must release (struct bpf_reference_state). */
export interface Reference {
  readonly id: number;
  /** Instruction that acquired it, for the report of a leak. */
  readonly instruction: number;
  /** Number of the callback frame that acquired it, 0 outside of callbacks. */
  readonly callbackRef: number;
}

/** One call frame. */
export class Frame {
  readonly regs: Reg[] = [];
  stack: StackSlot[] = [];
  references: Reference[] = [];
  /** Instruction of the call, -1 for the main frame. */
  callsite = -1;
  frameno = 0;
  subprog = 0;
  /** Callbacks armed so far, which tells one entry into an asynchronous callback from the next. */
  asyncEntryCount = 0;
  inCallbackFn = false;
  inAsyncCallbackFn = false;
  inExceptionCallbackFn = false;
  /** Iterations simulated of the callback in the frame above. */
  callbackDepth = 0;
  /** Allowed range of the callback's return value. */
  callbackRet: readonly [number, number] = [0, 0];

  constructor() {
    for (let i = 0; i < 11; i++) this.regs.push(new Reg());
  }
}
