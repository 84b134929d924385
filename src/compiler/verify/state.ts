/**
 * What the verifier knows at one point of a program: registers, stack and call frames.
 *
 * 64-bit values are kept as two 32-bit halves in plain fields (`xHi`, `xLo`, both int32, so that V8 stores them as small
 * integers without allocation); BigInt would cost an allocation per operation. Field groups follow the verifier's own
 * terms (Documentation/bpf/verifier.rst, include/linux/bpf_verifier.h of Linux 6.12).
 */
import type { Btf } from '../btf/btf.js';
import { Liveness } from './live.js';
import type { VerifierMap } from './map.js';

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
  /** Tells the type from ReadonlyReg's, which must not be taken for one that may be changed. */
  declare protected readonly changeable: true;
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

  copyFrom(o: ReadonlyReg): void {
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
  }

  clone(): Reg {
    const r = new Reg();
    r.copyFrom(this);
    return r;
  }
}

/** A register that others share: to be looked at, or copied. */
export type ReadonlyReg = Readonly<Omit<Reg, 'copyFrom'>>;

/** What was never written. Shared: `subregDef` is 0. */
export const EMPTY_REG: ReadonlyReg = new Reg();

/** Eight bytes of stack. Slot k of a frame covers fp-8(k+1) … fp-8k-1. */
export class StackSlot {
  /** The register spilled here, or the kernel's object that lies here; shared with the registers it was spilled from. */
  spilled: ReadonlyReg = EMPTY_REG;
  /** STACK_… of each byte, four bits a byte; byte 7 is the lowest-numbered written by a 1-byte store at fp-8k-8. */
  kinds = 0;

  kind(byte: number): number {
    return (this.kinds >>> (byte * 4)) & 15;
  }

  setKind(byte: number, kind: number): void {
    this.kinds = (this.kinds & ~(15 << (byte * 4))) | (kind << (byte * 4));
  }

  setAllKinds(kind: number): void {
    this.kinds = allOfKind(kind);
  }

  /** Puts a copy of what is spilled here in its place, to be changed. */
  renewSpilled(): Reg {
    const copy = this.spilled.clone();
    this.spilled = copy;
    return copy;
  }

  clone(): StackSlot {
    const slot = new StackSlot();
    slot.spilled = this.spilled;
    slot.kinds = this.kinds;
    return slot;
  }
}

/** StackSlot.kinds of a slot whose bytes are all of one kind. */
export function allOfKind(kind: number): number {
  return Math.imul(kind, 0x11111111);
}

/** A slot that other states may share. */
export interface ReadonlySlot {
  readonly spilled: ReadonlyReg;
  readonly kinds: number;
  kind(byte: number): number;
  clone(): StackSlot;
}

/** An acquired reference that the program must release (struct bpf_reference_state). */
export interface Reference {
  readonly id: number;
  /** Instruction that acquired it, for the report of a leak. */
  readonly instruction: number;
  /** Number of the callback frame that acquired it, 0 outside of callbacks. */
  readonly callbackRef: number;
}

const FRAME_POINTER = 10;
const EMPTY_REGS: readonly ReadonlyReg[] = Array.from({ length: FRAME_POINTER + 1 }, () => EMPTY_REG);

/** One call frame. */
export class Frame {
  readonly live = new Liveness();
  /**
   * R0 to R10, and the stack: shared with the states that this one was copied from and to, one by one. `ownReg` and
   * `ownSlot` give one to be changed.
   */
  readonly regs: ReadonlyReg[];
  stack: ReadonlySlot[] = [];
  /** Registers, and slots, that nothing else shares, a bit each; the last for slots 32 to 63. */
  private ownRegs = 0;
  private own = 0;
  private ownHigh = 0;
  /**
   * Scalars whose exact value matters to the code behind, as traced back to this frame of a kept state: a bit each of its
   * registers and slots. The state at hand needs none: what it rests on is traced back to the states before it.
   */
  private preciseRegs = 0;
  private preciseSlots = 0;
  private preciseSlotsHigh = 0;
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

  /** A frame that nothing is known of, or one with the registers of another. */
  constructor(o: Frame | null) {
    this.regs = (o?.regs ?? EMPTY_REGS).slice();
    if (o !== null) o.ownRegs = 0;
  }

  /** A register of this frame to be changed. What was read of it before is out of date. */
  ownReg(r: number): Reg {
    const reg = this.regs[r]!;
    if ((this.ownRegs & (1 << r)) !== 0) return reg as Reg;
    const copy = reg.clone();
    this.regs[r] = copy;
    this.ownRegs |= 1 << r;
    return copy;
  }

  /** The register if nothing else shares it, to be changed; null otherwise. */
  soleReg(r: number): Reg | null {
    return (this.ownRegs & (1 << r)) !== 0 ? (this.regs[r] as Reg) : null;
  }

  /** Register `r` as something else may share it from now on. */
  shareReg(r: number): ReadonlyReg {
    this.ownRegs &= ~(1 << r);
    return this.regs[r]!;
  }

  /** Register `r` becomes one that others share. An object of its own is kept: copying is cheaper than a new one later. */
  setReg(r: number, shared: ReadonlyReg): void {
    const own = this.soleReg(r);
    if (own === null) this.regs[r] = shared;
    else own.copyFrom(shared);
  }

  /** Register `r` becomes what register `from` of a frame is. */
  takeReg(r: number, o: Frame, from: number): void {
    const own = this.soleReg(r);
    if (own === null) this.regs[r] = o.shareReg(from);
    else own.copyFrom(o.regs[from]!);
  }

  /** Ten registers that hold nothing, and the frame pointer. */
  clearRegs(empty: ReadonlyReg, framePointer: ReadonlyReg): void {
    for (let r = 0; r < FRAME_POINTER; r++) this.setReg(r, empty);
    this.setReg(FRAME_POINTER, framePointer);
  }

  /** Takes over all registers of a frame. */
  takeRegs(o: Frame): void {
    for (let r = 0; r <= FRAME_POINTER; r++) this.takeReg(r, o, r);
  }

  /** A slot of this frame to be changed. What was read of it before is out of date. */
  ownSlot(slot: number): StackSlot {
    const bit = 1 << slot;
    const isOwn = ((slot < 32 ? this.own : this.ownHigh) & bit) !== 0;
    if (isOwn) return this.stack[slot] as StackSlot;
    const copy = this.stack[slot]!.clone();
    this.stack[slot] = copy;
    if (slot < 32) this.own |= bit;
    else this.ownHigh |= bit;
    return copy;
  }

  isRegPrecise(r: number): boolean {
    return (this.preciseRegs & (1 << r)) !== 0;
  }

  isSlotPrecise(slot: number): boolean {
    const marks = slot < 32 ? this.preciseSlots : this.preciseSlotsHigh;
    return (marks & (1 << slot)) !== 0;
  }

  markRegPrecise(r: number): void {
    this.preciseRegs |= 1 << r;
  }

  markSlotPrecise(slot: number): void {
    if (slot < 32) this.preciseSlots |= 1 << slot;
    else this.preciseSlotsHigh |= 1 << slot;
  }

  clearPrecise(): void {
    this.preciseRegs = 0;
    this.preciseSlots = 0;
    this.preciseSlotsHigh = 0;
  }

  clearStack(): void {
    this.stack.length = 0;
    this.own = 0;
    this.ownHigh = 0;
  }

  /** Takes over the stack of a frame; both share all slots from now on. An array that is there already is used again. */
  shareStack(o: Frame): void {
    const { stack } = this;
    if (stack.length === 0) this.stack = o.stack.slice();
    else {
      const common = Math.min(stack.length, o.stack.length);
      for (let i = 0; i < common; i++) stack[i] = o.stack[i]!;
      for (let i = common; i < o.stack.length; i++) stack.push(o.stack[i]!);
      if (stack.length > o.stack.length) stack.length = o.stack.length;
    }
    this.own = 0;
    this.ownHigh = 0;
    o.own = 0;
    o.ownHigh = 0;
  }
}
