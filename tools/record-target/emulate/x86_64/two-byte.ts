/** The instructions behind 0x0f that compilers emit for integer code. */
import { maskOf, type Width } from './flags.js';
import { X86Machine, RAX, type Operand } from './machine.js';

const TEST_BIT = 4;
const SET_BIT = 5;
const CLEAR_BIT = 6;

export abstract class X86TwoByte extends X86Machine {
  protected twoByte(): void {
    const opcode = this.byte();
    const row = opcode >> 4;
    if (row === 4) this.conditionalMove(opcode);
    else if (row === 8) this.conditionalJump(opcode & 15, this.immediate(4));
    else if (row === 9) this.set(this.modrm(), this.flags.holds(opcode & 15) ? 1n : 0n, 8);
    else this.otherTwoByte(opcode);
  }

  private otherTwoByte(opcode: number): void {
    switch (opcode) {
      case 0x0d: // prefetches and long no-operations, ENDBR64 among them
      case 0x18:
      case 0x19:
      case 0x1e:
      case 0x1f:
        this.modrm();
        return;
      case 0x01:
      case 0xae: {
        // STAC, CLAC and fences, which are no memory operands
        if (this.modrm().address !== null) this.unknown(`0f ${opcode.toString(16)}`);
        return;
      }
      case 0xa3:
      case 0xab:
      case 0xb3: {
        const operand = this.modrm();
        this.bit(
          operand,
          this.getRegister(this.field, this.wide),
          { 0xa3: TEST_BIT, 0xab: SET_BIT, 0xb3: CLEAR_BIT }[opcode],
        );
        return;
      }
      case 0xba: {
        const operand = this.modrm(1);
        this.bit(operand, BigInt(this.byte()), this.field & 7);
        return;
      }
      case 0xaf: {
        const operand = this.modrm();
        const product = this.flags.multiply(
          this.getRegister(this.field, this.wide),
          this.get(operand, this.wide),
          this.wide,
        );
        this.setRegister(this.field, product, this.wide);
        return;
      }
      case 0xb0:
      case 0xb1:
        this.compareExchange(this.widthOf(opcode));
        return;
      case 0xb6:
      case 0xb7:
      case 0xbe:
      case 0xbf:
        this.extend(opcode);
        return;
      case 0xb8:
      case 0xbc:
      case 0xbd:
        this.scan(opcode);
        return;
      case 0xc0:
      case 0xc1: {
        const width = this.widthOf(opcode);
        const operand = this.modrm();
        const old = this.get(operand, width);
        this.set(operand, this.flags.add(old, this.getRegister(this.field, width), width), width);
        this.setRegister(this.field, old, width);
        return;
      }
      default:
        if (opcode >> 3 === 0x19) this.swapBytes((opcode & 7) | ((this.rex & 1) << 3));
        else this.unknown(`0f ${opcode.toString(16)}`);
    }
  }

  protected conditionalJump(condition: number, distance: bigint): void {
    if (this.flags.holds(condition)) this.jump(distance);
  }
  protected jump(distance: bigint): void {
    this.goTo(BigInt.asUintN(64, this.next + distance));
  }

  private conditionalMove(opcode: number): void {
    const operand = this.modrm();
    const value = this.get(operand, this.wide);
    const kept = this.getRegister(this.field, this.wide);
    this.setRegister(this.field, this.flags.holds(opcode & 15) ? value : kept, this.wide);
  }

  /** BT, BTS and BTR; in memory, with an index from a register, bits lie beyond the operand as well. */
  private bit(operand: Operand, index: bigint, operation: number | undefined): void {
    const width = this.wide;
    const signed = BigInt.asIntN(width, index);
    const at = signed & BigInt(width - 1);
    const far = operand.address === null ? 0n : (signed - at) / 8n;
    const place = operand.address === null ? operand : { ...operand, address: operand.address + far };
    const value = this.get(place, width);
    this.flags.carry = ((value >> at) & 1n) === 1n;
    if (operation === SET_BIT) this.set(place, value | (1n << at), width);
    else if (operation === CLEAR_BIT) this.set(place, value & ~(1n << at), width);
    else if (operation !== TEST_BIT) this.unknown('0f ba');
  }

  private compareExchange(width: Width): void {
    const operand = this.modrm();
    const old = this.get(operand, width);
    this.flags.subtract(this.getRegister(RAX, width), old, width);
    if (this.flags.zero) this.set(operand, this.getRegister(this.field, width), width);
    else this.setRegister(RAX, old, width);
  }

  /** MOVZX and MOVSX. */
  private extend(opcode: number): void {
    const from: Width = (opcode & 1) === 0 ? 8 : 16;
    const operand = this.modrm();
    const value = this.get(operand, from);
    this.setRegister(this.field, opcode < 0xb8 ? value : BigInt.asIntN(from, value) & maskOf(this.wide), this.wide);
  }

  /** POPCNT; BSF and BSR, TZCNT and LZCNT. */
  private scan(opcode: number): void {
    const width = this.wide;
    const operand = this.modrm();
    const text = this.get(operand, width).toString(2).padStart(width, '0');
    const isNull = !text.includes('1');
    if (opcode === 0xb8) {
      if (this.repeat !== 0xf3) this.unknown('0f b8');
      this.setRegister(this.field, BigInt(text.replaceAll('0', '').length), width);
      this.flags.zero = isNull;
    } else if (this.repeat === 0xf3) {
      const count = isNull ? width : opcode === 0xbc ? width - 1 - text.lastIndexOf('1') : text.indexOf('1');
      this.setRegister(this.field, BigInt(count), width);
      this.flags.carry = isNull;
      this.flags.zero = count === 0;
    } else {
      this.flags.zero = isNull;
      const at = width - 1 - (opcode === 0xbc ? text.lastIndexOf('1') : text.indexOf('1'));
      if (!isNull) this.setRegister(this.field, BigInt(at), width);
    }
  }

  private swapBytes(register: number): void {
    const width = this.wide;
    const text = this.getRegister(register, width)
      .toString(16)
      .padStart(width / 4, '0');
    this.setRegister(register, BigInt(`0x${text.match(/../g)!.reverse().join('')}`), width);
  }
}
