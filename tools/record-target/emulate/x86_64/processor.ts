/** An x86-64 processor for the kernel's functions: the integer instructions that gcc and clang emit, and nothing else. */
import { MASK64 } from '../processor.js';
import { maskOf, type Width } from './flags.js';
import { RAX, RCX, RDI, RDX, RSI, RSP, RBP, type Operand } from './machine.js';
import { shifted } from './shift.js';
import { X86TwoByte } from './two-byte.js';

/** Bits of the flags' word that no instruction here changes: the one that is always set, and IF. */
const INTERRUPTS_ON = 0x202n;

export class X86Processor extends X86TwoByte {
  protected execute(opcode: number): void {
    if (opcode < 0x40 && (opcode & 7) < 6) this.arithmetic(opcode);
    else if (opcode === 0x0f) this.twoByte();
    else if (opcode >= 0x50 && opcode < 0x58) this.push(this.r[(opcode & 7) | ((this.rex & 1) << 3)]!);
    else if (opcode >= 0x58 && opcode < 0x60) this.r[(opcode & 7) | ((this.rex & 1) << 3)] = this.pop();
    else if (opcode >> 4 === 7) this.conditionalJump(opcode & 15, this.immediate(1));
    else if (opcode >> 4 === 8) this.moves(opcode);
    else if (opcode >> 4 === 0xb) this.moveConstant(opcode);
    else this.other(opcode);
  }

  private other(opcode: number): void {
    switch (opcode) {
      case 0x63: {
        const operand = this.modrm();
        this.setRegister(this.field, BigInt.asIntN(32, this.get(operand, 32)) & MASK64, this.wide);
        return;
      }
      case 0x68:
        this.push(this.immediate(4));
        return;
      case 0x6a:
        this.push(this.immediate(1));
        return;
      case 0x69:
      case 0x6b: {
        const bytes = opcode === 0x6b ? 1 : this.operandSize16 ? 2 : 4;
        const operand = this.modrm(bytes);
        const factor = this.immediate(bytes) & maskOf(this.wide);
        this.setRegister(this.field, this.flags.multiply(this.get(operand, this.wide), factor, this.wide), this.wide);
        return;
      }
      case 0x90: // NOP, PAUSE
        return;
      case 0x98: {
        const half = (this.wide / 2) as Width;
        this.setRegister(RAX, BigInt.asIntN(half, this.r[RAX]!) & MASK64, this.wide);
        return;
      }
      case 0x99:
        this.setRegister(RDX, BigInt.asIntN(this.wide, this.r[RAX]!) < 0n ? MASK64 : 0n, this.wide);
        return;
      case 0x9c:
        this.push(this.flags.word | INTERRUPTS_ON);
        return;
      case 0x9d:
        this.flags.word = this.pop();
        return;
      case 0xfa: // CLI, STI: nothing interrupts
      case 0xfb:
        return;
      case 0xa8:
      case 0xa9: {
        const width = this.widthOf(opcode);
        this.flags.logic(this.getRegister(RAX, width) & this.constant(width), width);
        return;
      }
      case 0xa4:
      case 0xa5:
      case 0xaa:
      case 0xab:
        this.text(opcode);
        return;
      case 0xc0:
      case 0xc1:
        this.shift(this.modrm(1), this.byte(), this.widthOf(opcode));
        return;
      case 0xd0:
      case 0xd1:
        this.shift(this.modrm(), 1, this.widthOf(opcode));
        return;
      case 0xd2:
      case 0xd3:
        this.shift(this.modrm(), Number(this.r[RCX]! & 0xffn), this.widthOf(opcode));
        return;
      case 0xc3:
        this.goTo(this.pop());
        return;
      case 0xc6:
      case 0xc7: {
        const width = this.widthOf(opcode);
        const operand = this.modrm(this.constantBytes(width));
        this.set(operand, this.constant(width), width);
        return;
      }
      case 0xc9:
        this.r[RSP] = this.r[RBP]!;
        this.r[RBP] = this.pop();
        return;
      case 0xe8: {
        const distance = this.immediate(4);
        this.push(this.next);
        this.jump(distance);
        return;
      }
      case 0xe9:
        this.jump(this.immediate(4));
        return;
      case 0xeb:
        this.jump(this.immediate(1));
        return;
      case 0xf6:
      case 0xf7:
        this.unary(this.widthOf(opcode));
        return;
      case 0xfe:
      case 0xff:
        this.stepOrJump(this.widthOf(opcode));
        return;
      default:
        this.unknown(opcode.toString(16));
    }
  }

  private constantBytes(width: Width): 1 | 2 | 4 {
    return width === 8 ? 1 : width === 16 ? 2 : 4;
  }
  /** An immediate operand of an instruction of that width, sign-extended to it. */
  private constant(width: Width): bigint {
    return this.immediate(this.constantBytes(width)) & maskOf(width);
  }

  /** ADD to CMP with a register, or the accumulator and a constant. */
  private arithmetic(opcode: number): void {
    const operation = opcode >> 3;
    const width = this.widthOf(opcode);
    const form = opcode & 7;
    if (form >= 4) {
      this.compute(operation, { register: RAX, address: null }, this.constant(width), width);
      return;
    }
    const operand = this.modrm();
    const register: Operand = { register: this.field, address: null };
    if (form < 2) this.compute(operation, operand, this.get(register, width), width);
    else this.compute(operation, register, this.get(operand, width), width);
  }

  private compute(operation: number, to: Operand, b: bigint, width: Width): void {
    const { flags } = this;
    const a = this.get(to, width);
    switch (operation) {
      case 0:
        this.set(to, flags.add(a, b, width), width);
        return;
      case 1:
        this.set(to, flags.logic(a | b, width), width);
        return;
      case 2:
        this.set(to, flags.add(a, b, width, flags.carry), width);
        return;
      case 3:
        this.set(to, flags.subtract(a, b, width, flags.carry), width);
        return;
      case 4:
        this.set(to, flags.logic(a & b, width), width);
        return;
      case 5:
        this.set(to, flags.subtract(a, b, width), width);
        return;
      case 6:
        this.set(to, flags.logic(a ^ b, width), width);
        return;
      default:
        flags.subtract(a, b, width);
    }
  }

  /** The row of 0x80: arithmetic with constants, TEST, XCHG, MOV, LEA, POP. */
  private moves(opcode: number): void {
    const width = this.widthOf(opcode);
    if (opcode <= 0x83) {
      const bytes = opcode === 0x81 ? this.constantBytes(width) : 1;
      const operand = this.modrm(bytes);
      const operation = this.field & 7;
      this.compute(operation, operand, this.immediate(bytes) & maskOf(width), width);
      return;
    }
    const operand = this.modrm();
    const value = this.getRegister(this.field, width);
    if (opcode <= 0x85) this.flags.logic(this.get(operand, width) & value, width);
    else if (opcode <= 0x87) {
      this.setRegister(this.field, this.get(operand, width), width);
      this.set(operand, value, width);
    } else if (opcode <= 0x89) this.set(operand, value, width);
    else if (opcode <= 0x8b) this.setRegister(this.field, this.get(operand, width), width);
    else if (opcode === 0x8d && operand.address !== null) this.setRegister(this.field, operand.address, this.wide);
    else if (opcode === 0x8f) this.set(operand, this.pop(), 64);
    else this.unknown(opcode.toString(16));
  }

  private moveConstant(opcode: number): void {
    const register = (opcode & 7) | ((this.rex & 1) << 3);
    if (opcode < 0xb8) this.setRegister(register, this.immediate(1), 8);
    else if (this.wide === 64) this.r[register] = this.immediate(8);
    else this.setRegister(register, this.constant(this.wide), this.wide);
  }

  private shift(operand: Operand, count: number, width: Width): void {
    const result = shifted(this.field & 7, this.get(operand, width), count, width, this.flags);
    if (result === null) this.unknown('of a shift');
    else this.set(operand, result, width);
  }

  /** TEST with a constant, NOT, NEG, MUL, IMUL, DIV, IDIV. */
  private unary(width: Width): void {
    const operation = (this.coming >> 3) & 7;
    const operand = this.modrm(operation < 2 ? this.constantBytes(width) : 0);
    const value = this.get(operand, width);
    if (operation < 2) this.flags.logic(value & this.constant(width), width);
    else if (operation === 2) this.set(operand, ~value, width);
    else if (operation === 3) this.set(operand, this.flags.subtract(0n, value, width), width);
    else if (width >= 32) this.wideProduct(operation, value, width);
    else this.unknown('f6');
  }

  /** Products and quotients of twice the width, in RDX and RAX. */
  private wideProduct(operation: number, value: bigint, width: Width): void {
    const signed = (operation & 1) === 1;
    const read = (number: bigint): bigint => (signed ? BigInt.asIntN(width, number) : number);
    const low = this.getRegister(RAX, width);
    const high = this.getRegister(RDX, width);
    if (operation < 6) {
      const product = read(low) * read(value);
      this.setRegister(RAX, product & maskOf(width), width);
      this.setRegister(RDX, (product >> BigInt(width)) & maskOf(width), width);
      this.flags.carry = this.flags.overflow = product !== read(product & maskOf(width));
      return;
    }
    const dividend = (read(high) << BigInt(width)) | low;
    if (value === 0n) this.unknown('of a division by zero');
    this.setRegister(RAX, (dividend / read(value)) & maskOf(width), width);
    this.setRegister(RDX, (dividend % read(value)) & maskOf(width), width);
  }

  /** INC, DEC, CALL, JMP, PUSH. */
  private stepOrJump(width: Width): void {
    const operand = this.modrm();
    const operation = this.field & 7;
    if (operation < 2)
      this.set(operand, this.flags.step(this.get(operand, width), operation === 0 ? 1n : -1n, width), width);
    else if (operation === 2 || operation === 4) {
      const target = this.get(operand, 64);
      if (operation === 2) this.push(this.next);
      this.goTo(target);
    } else if (operation === 6) this.push(this.get(operand, 64));
    else this.unknown('ff');
  }

  /** MOVS and STOS, alone or as often as RCX says. */
  private text(opcode: number): void {
    const width = this.widthOf(opcode);
    const size = BigInt(width >> 3);
    for (let count = this.repeat === 0 ? 1n : this.r[RCX]!; count > 0n; count--) {
      const value = opcode < 0xa8 ? this.load(this.r[RSI]!, Number(size)) : this.getRegister(RAX, width);
      this.store(this.r[RDI]!, Number(size), value);
      this.r[RDI] = (this.r[RDI]! + size) & MASK64;
      if (opcode < 0xa8) this.r[RSI] = (this.r[RSI]! + size) & MASK64;
    }
    if (this.repeat !== 0) this.r[RCX] = 0n;
  }
}
