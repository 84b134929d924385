/**
 * An arm64 processor for the kernel's functions: the base integer instructions, no floating point, no system registers but
 * SP_EL0 (the current task) and TCR_EL1, from which kernels take the size of address spaces.
 */
import { LANDING, MASK32, MASK64, Processor, STACK_TOP, TASK } from './processor.js';

export class Arm64Processor extends Processor {
  private readonly x = new Array<bigint>(32).fill(0n);
  private n = false;
  private z = false;
  private c = false;
  private v = false;

  protected enter(args: readonly bigint[]): void {
    this.x.fill(0n);
    args.forEach((value, i) => (this.x[i] = value));
    this.x[30] = LANDING;
    this.x[31] = STACK_TOP;
  }

  protected leave(result: bigint): void {
    this.x[0] = result;
    this.pc = this.x[30]!;
  }

  protected get result(): bigint {
    return this.x[0]!;
  }

  argument(i: number): bigint {
    return this.x[i]!;
  }

  /** By the chain of frame records. */
  callers(): bigint[] {
    const found = [this.pc];
    let frame = this.x[29]!;
    for (let i = 0; i < 16 && frame <= STACK_TOP && frame > STACK_TOP - 0x10000n; i++) {
      found.push(this.load(frame + 8n, 8));
      frame = this.load(frame, 8);
    }
    return found;
  }

  protected step(): void {
    const w = this.memory.u32(this.pc);
    const next = this.pc + 4n;
    const group = (w >>> 25) & 0xf;
    this.pc = next;
    if ((group & 0xe) === 8) this.dataImmediate(w, next - 4n);
    else if ((group & 0xe) === 10) this.branch(w, next - 4n);
    else if ((group & 5) === 4) this.loadStore(w, next - 4n);
    else if ((group & 7) === 5) this.dataRegister(w);
    else this.refuse(w);
  }

  private refuse(w: number): never {
    this.unknown(w.toString(16).padStart(8, '0'));
  }

  /** T0SZ and T1SZ: address bits that are not used. */
  private get translationControl(): bigint {
    const unused = BigInt(64 - this.setting.addressBits);
    return unused | (unused << 16n);
  }

  /** Register 31 is zero, or the stack pointer where `sp`. */
  private reg(r: number, is64: boolean, sp = false): bigint {
    if (r === 31 && !sp) return 0n;
    return is64 ? this.x[r]! : this.x[r]! & MASK32;
  }
  private set(r: number, value: bigint, is64: boolean, sp = false): void {
    if (r === 31 && !sp) return;
    this.x[r] = value & (is64 ? MASK64 : MASK32);
  }

  private dataImmediate(w: number, at: bigint): void {
    const is64 = w >>> 31 === 1;
    const rd = w & 31;
    const rn = (w >>> 5) & 31;
    switch ((w >>> 23) & 7) {
      case 0:
      case 1: {
        // ADR, ADRP
        const imm = BigInt.asIntN(21, BigInt((((w >>> 5) & 0x7ffff) << 2) | ((w >>> 29) & 3)));
        this.set(rd, is64 ? (at & ~0xfffn) + (imm << 12n) : at + imm, true);
        return;
      }
      case 2: {
        // ADD, SUB
        const imm = BigInt((w >>> 10) & 0xfff) << ((w >>> 22) & 1 ? 12n : 0n);
        this.addSub(w, rd, this.reg(rn, is64, true), imm, is64, true);
        return;
      }
      case 4: {
        const imm = bitmask((w >>> 22) & 1, (w >>> 10) & 63, (w >>> 16) & 63);
        this.logical(w, rd, this.reg(rn, is64), imm, is64, true);
        return;
      }
      case 5: {
        // MOVN, MOVZ, MOVK
        const shift = BigInt(((w >>> 21) & 3) * 16);
        const imm = BigInt((w >>> 5) & 0xffff) << shift;
        const opc = (w >>> 29) & 3;
        if (opc === 0) this.set(rd, ~imm, is64);
        else if (opc === 2) this.set(rd, imm, is64);
        else if (opc === 3) this.set(rd, (this.reg(rd, true) & ~(0xffffn << shift)) | imm, is64);
        else this.refuse(w);
        return;
      }
      case 6:
        this.bitfield(w, rd, rn, is64);
        return;
      case 7: {
        // EXTR
        const width = is64 ? 64n : 32n;
        const lsb = BigInt((w >>> 10) & 63);
        const pair = (this.reg(rn, is64) << width) | this.reg((w >>> 16) & 31, is64);
        this.set(rd, pair >> lsb, is64);
        return;
      }
      default:
        this.refuse(w);
    }
  }

  private bitfield(w: number, rd: number, rn: number, is64: boolean): void {
    const width = is64 ? 64 : 32;
    const r = (w >>> 16) & 63;
    const s = (w >>> 10) & 63;
    const opc = (w >>> 29) & 3;
    const src = this.reg(rn, is64);
    const length = s >= r ? s - r + 1 : s + 1;
    const to = s >= r ? 0 : width - r;
    const field = (s >= r ? src >> BigInt(r) : src) & ((1n << BigInt(length)) - 1n);
    const mask = ((1n << BigInt(length)) - 1n) << BigInt(to);
    if (opc === 0) this.set(rd, BigInt.asIntN(length, field) << BigInt(to), is64);
    else if (opc === 1) this.set(rd, (this.reg(rd, is64) & ~mask) | (field << BigInt(to)), is64);
    else if (opc === 2) this.set(rd, field << BigInt(to), is64);
    else this.refuse(w);
  }

  private addSub(w: number, rd: number, a: bigint, b: bigint, is64: boolean, spOut: boolean): void {
    const sub = (w >>> 30) & 1;
    const flags = (w >>> 29) & 1;
    const result = this.sum(a, b, sub === 1, is64, flags === 1);
    this.set(rd, result, is64, spOut && flags === 0);
  }

  /** `carry`: what is added besides; subtraction adds the complement and 1, unless a borrow is handed on. */
  private sum(a: bigint, b: bigint, sub: boolean, is64: boolean, flags: boolean, carry = sub): bigint {
    const mask = is64 ? MASK64 : MASK32;
    const other = sub ? ~b & mask : b & mask;
    const wide = (a & mask) + other + (carry ? 1n : 0n);
    const result = wide & mask;
    if (flags) {
      const top = is64 ? 63n : 31n;
      this.n = result >> top === 1n;
      this.z = result === 0n;
      this.c = wide > mask;
      this.v = (((a & mask) ^ result) & (other ^ result)) >> top === 1n;
    }
    return result;
  }

  private logical(w: number, rd: number, a: bigint, b: bigint, is64: boolean, spOut: boolean): void {
    const opc = (w >>> 29) & 3;
    const mask = is64 ? MASK64 : MASK32;
    b &= mask;
    const result = opc === 1 ? a | b : opc === 2 ? a ^ b : a & b;
    if (opc === 3) {
      this.n = result >> (is64 ? 63n : 31n) === 1n;
      this.z = result === 0n;
      this.c = this.v = false;
    }
    this.set(rd, result, is64, spOut && opc !== 3);
  }

  private holds(condition: number): boolean {
    const base = [
      this.z,
      this.c,
      this.n,
      this.v,
      this.c && !this.z,
      this.n === this.v,
      this.n === this.v && !this.z,
      true,
    ][condition >> 1]!;
    return (condition & 1) === 1 && condition !== 15 ? !base : base;
  }

  private branch(w: number, at: bigint): void {
    const imm19 = at + BigInt.asIntN(21, BigInt(((w >>> 5) & 0x7ffff) << 2));
    if ((w & 0x7c000000) === 0x14000000) {
      if (w >>> 31 === 1) this.x[30] = this.pc;
      this.pc = at + BigInt.asIntN(28, BigInt((w & 0x3ffffff) << 2) & 0xfffffffn);
    } else if ((w & 0xff000010) >>> 0 === 0x54000000) {
      if (this.holds(w & 15)) this.pc = imm19;
    } else if ((w & 0x7e000000) === 0x34000000) {
      const zero = this.reg(w & 31, w >>> 31 === 1) === 0n;
      if (zero === (((w >>> 24) & 1) === 0)) this.pc = imm19;
    } else if ((w & 0x7e000000) === 0x36000000) {
      const bit = BigInt(((w >>> 31) << 5) | ((w >>> 19) & 31));
      const set = ((this.reg(w & 31, true) >> bit) & 1n) === 1n;
      if (set === (((w >>> 24) & 1) === 1)) this.pc = at + BigInt.asIntN(16, BigInt(((w >>> 5) & 0x3fff) << 2));
    } else if ((w & 0xfe1ff000) >>> 0 === 0xd61f0000) {
      const target = this.reg((w >>> 5) & 31, true);
      const kind = (w >>> 21) & 3;
      if (kind === 1) this.x[30] = this.pc;
      this.pc = target;
    } else if ((w & 0xfffff01f) >>> 0 === 0xd503201f || (w & 0xfffff01f) >>> 0 === 0xd503301f) {
      // hints and barriers
    } else if ((w & 0xffffffe0) >>> 0 === 0xd5384100) {
      this.set(w & 31, TASK, true);
    } else if ((w & 0xffffffe0) >>> 0 === 0xd5382040) {
      this.set(w & 31, this.translationControl, true);
    } else this.refuse(w);
  }

  private loadStore(w: number, at: bigint): void {
    if ((w >>> 26) & 1) this.refuse(w); // SIMD registers
    const rt = w & 31;
    const rn = (w >>> 5) & 31;
    const top = (w >>> 28) & 3;
    if (top === 2) this.pair(w, rt, rn);
    else if (top === 1) {
      // literal loads
      const address = at + BigInt.asIntN(21, BigInt(((w >>> 5) & 0x7ffff) << 2));
      const opc = w >>> 30;
      if (opc === 0) this.set(rt, this.load(address, 4), true);
      else if (opc === 1) this.set(rt, this.load(address, 8), true);
      else if (opc === 2) this.set(rt, BigInt.asIntN(32, this.load(address, 4)), true);
    } else if (top === 0 && ((w >>> 21) & 5) === 4 && ((w >>> 23) & 1) === 1) {
      // LDAR, STLR: one processor, so no more than loads and stores
      const size = 1 << (w >>> 30);
      const address = this.reg(rn, true, true);
      if ((w >>> 22) & 1) this.set(rt, this.load(address, size), true);
      else this.store(address, size, this.reg(rt, true));
    } else if (top === 3) this.single(w, rt, rn);
    else this.refuse(w);
  }

  private pair(w: number, rt: number, rn: number): void {
    const opc = w >>> 30;
    if (opc === 3) this.refuse(w);
    const size = opc === 2 ? 8 : 4;
    const offset = BigInt.asIntN(7, BigInt((w >>> 15) & 0x7f)) * BigInt(size);
    const mode = (w >>> 23) & 3;
    const base = this.reg(rn, true, true);
    const address = mode === 1 ? base : base + offset;
    const rt2 = (w >>> 10) & 31;
    if ((w >>> 22) & 1) {
      for (const [k, r] of [rt, rt2].entries()) {
        const value = this.load(address + BigInt(k * size), size);
        this.set(r, opc === 1 ? BigInt.asIntN(32, value) : value, true);
      }
    } else {
      this.store(address, size, this.reg(rt, true));
      this.store(address + BigInt(size), size, this.reg(rt2, true));
    }
    if ((mode & 1) === 1) this.set(rn, base + offset, true, true);
  }

  private single(w: number, rt: number, rn: number): void {
    const log = w >>> 30;
    const size = 1 << log;
    const opc = (w >>> 22) & 3;
    const base = this.reg(rn, true, true);
    let address = base;
    let writeBack = false;
    if ((w >>> 24) & 1) address += BigInt((w >>> 10) & 0xfff) << BigInt(log);
    else if ((w >>> 21) & 1) {
      if (((w >>> 10) & 3) !== 2) this.refuse(w); // atomics
      const shift = (w >>> 12) & 1 ? log : 0;
      address += this.extend(this.reg((w >>> 16) & 31, true), (w >>> 13) & 7) << BigInt(shift);
    } else {
      const mode = (w >>> 10) & 3;
      const imm = BigInt.asIntN(9, BigInt((w >>> 12) & 0x1ff));
      writeBack = (mode & 1) === 1;
      if (mode !== 1) address += imm;
      if (writeBack) this.set(rn, base + imm, true, true);
    }
    if (opc === 0) this.store(address, size, writeBack && rt === rn ? base : this.reg(rt, true));
    else if (log === 3 && opc === 2)
      return; // PRFM
    else if (opc === 1) this.set(rt, this.load(address, size), true);
    else this.set(rt, BigInt.asIntN(8 * size, this.load(address, size)), opc === 2);
  }

  private extend(value: bigint, option: number): bigint {
    const bits = 8 << (option & 3);
    return option & 4 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  }

  private dataRegister(w: number): void {
    const is64 = w >>> 31 === 1;
    const rd = w & 31;
    const rn = (w >>> 5) & 31;
    const rm = (w >>> 16) & 31;
    const op = (w >>> 21) & 0xff;
    if ((op & 0xf8) === 0x50) {
      const b = this.shifted(this.reg(rm, is64), (w >>> 22) & 3, (w >>> 10) & 63, is64);
      this.logical(w, rd, this.reg(rn, is64), (w >>> 21) & 1 ? ~b : b, is64, false);
    } else if ((op & 0xf9) === 0x58) {
      const b = this.shifted(this.reg(rm, is64), (w >>> 22) & 3, (w >>> 10) & 63, is64);
      this.addSub(w, rd, this.reg(rn, is64), b, is64, false);
    } else if ((op & 0xf9) === 0x59) {
      const b = this.extend(this.reg(rm, true), (w >>> 13) & 7) << BigInt((w >>> 10) & 7);
      this.addSub(w, rd, this.reg(rn, is64, true), b, is64, true);
    } else if (op === 0xd0 && ((w >>> 10) & 63) === 0) {
      // ADC, SBC
      const result = this.sum(
        this.reg(rn, is64),
        this.reg(rm, is64),
        ((w >>> 30) & 1) === 1,
        is64,
        ((w >>> 29) & 1) === 1,
        this.c,
      );
      this.set(rd, result, is64);
    } else if (op === 0xd2) this.conditionalCompare(w, rn, rm, is64);
    else if (op === 0xd4) this.conditionalSelect(w, rd, rn, rm, is64);
    else if (op === 0xd6) {
      if ((w >>> 30) & 1) this.oneSource(w, rd, rn, is64);
      else this.twoSources(w, rd, rn, rm, is64);
    } else if ((op & 0xf8) === 0xd8) this.threeSources(w, rd, rn, rm, is64);
    else this.refuse(w);
  }

  private shifted(value: bigint, kind: number, amount: number, is64: boolean): bigint {
    const width = is64 ? 64 : 32;
    const by = BigInt(amount);
    const mask = is64 ? MASK64 : MASK32;
    if (kind === 0) return (value << by) & mask;
    if (kind === 1) return value >> by;
    if (kind === 2) return (BigInt.asIntN(width, value) >> by) & mask;
    return ((value >> by) | (value << BigInt(width - amount))) & mask;
  }

  private conditionalCompare(w: number, rn: number, rm: number, is64: boolean): void {
    if (this.holds((w >>> 12) & 15)) {
      const b = (w >>> 11) & 1 ? BigInt(rm) : this.reg(rm, is64);
      this.sum(this.reg(rn, is64), b, ((w >>> 30) & 1) === 1, is64, true);
    } else {
      this.n = ((w >>> 3) & 1) === 1;
      this.z = ((w >>> 2) & 1) === 1;
      this.c = ((w >>> 1) & 1) === 1;
      this.v = (w & 1) === 1;
    }
  }

  private conditionalSelect(w: number, rd: number, rn: number, rm: number, is64: boolean): void {
    let value = this.reg(rn, is64);
    if (!this.holds((w >>> 12) & 15)) {
      value = this.reg(rm, is64);
      if ((w >>> 30) & 1) value = ~value;
      if ((w >>> 10) & 1) value += 1n;
    }
    this.set(rd, value, is64);
  }

  private oneSource(w: number, rd: number, rn: number, is64: boolean): void {
    const width = is64 ? 64 : 32;
    const value = this.reg(rn, is64);
    const bits = value.toString(2).padStart(width, '0');
    const opcode = (w >>> 10) & 63;
    const isPointerAuth = ((w >>> 16) & 31) === 1;
    if (isPointerAuth) return; // the values carry no codes
    if (opcode === 4) this.set(rd, BigInt(value === 0n ? width : bits.indexOf('1')), is64);
    else if (opcode === 0) this.set(rd, BigInt(`0b${[...bits].reverse().join('')}`), is64);
    else if (opcode <= 3) {
      const group = opcode === 1 ? 2 : opcode === 2 ? 4 : 8;
      const bytes = bits.match(/.{8}/g) ?? [];
      let out = '';
      for (let i = 0; i < bytes.length; i += group)
        out += bytes
          .slice(i, i + group)
          .reverse()
          .join('');
      this.set(rd, BigInt(`0b${out}`), is64);
    } else this.refuse(w);
  }

  private twoSources(w: number, rd: number, rn: number, rm: number, is64: boolean): void {
    const width = is64 ? 64 : 32;
    const a = this.reg(rn, is64);
    const b = this.reg(rm, is64);
    const opcode = (w >>> 10) & 63;
    if (opcode === 2) this.set(rd, b === 0n ? 0n : a / b, is64);
    else if (opcode === 3) this.set(rd, b === 0n ? 0n : BigInt.asIntN(width, a) / BigInt.asIntN(width, b), is64);
    else if (opcode >= 8 && opcode <= 11) {
      this.set(rd, this.shifted(a, opcode - 8, Number(b & BigInt(width - 1)), is64), is64);
    } else this.refuse(w);
  }

  private threeSources(w: number, rd: number, rn: number, rm: number, is64: boolean): void {
    const ra = this.reg((w >>> 10) & 31, is64);
    const minus = ((w >>> 15) & 1) === 1;
    const kind = (w >>> 21) & 7;
    let product;
    if (kind === 0) product = this.reg(rn, is64) * this.reg(rm, is64);
    else if (kind === 1) product = BigInt.asIntN(32, this.reg(rn, true)) * BigInt.asIntN(32, this.reg(rm, true));
    else if (kind === 2) {
      const high = (BigInt.asIntN(64, this.reg(rn, true)) * BigInt.asIntN(64, this.reg(rm, true))) >> 64n;
      return this.set(rd, high, true);
    } else if (kind === 5) product = this.reg(rn, false) * this.reg(rm, false);
    else if (kind === 6) return this.set(rd, (this.reg(rn, true) * this.reg(rm, true)) >> 64n, true);
    else this.refuse(w);
    this.set(rd, minus ? ra - product : ra + product, is64);
  }
}

/** The 64-bit value of a logical instruction's immediate (Arm ARM, DecodeBitMasks). */
function bitmask(n: number, imms: number, immr: number): bigint {
  const length = 31 - Math.clz32((n << 6) | (~imms & 63));
  const size = 1 << length;
  const ones = (imms & (size - 1)) + 1;
  const turn = BigInt(immr & (size - 1));
  const element = (1n << BigInt(ones)) - 1n;
  const full = (1n << BigInt(size)) - 1n;
  const turned = ((element >> turn) | (element << (BigInt(size) - turn))) & full;
  let value = 0n;
  for (let at = 0; at < 64; at += size) value |= turned << BigInt(at);
  return value;
}
