/** x86-64's condition flags, and the arithmetic that sets them (Intel's manual, volume 1, 3.4.3). Values are unsigned. */

/** Number of bits of an operand: 8, 16, 32 or 64. */
export type Width = 8 | 16 | 32 | 64;

export const maskOf = (width: Width): bigint => (1n << BigInt(width)) - 1n;

export class Flags {
  carry = false;
  parity = false;
  zero = false;
  sign = false;
  overflow = false;

  clear(): void {
    this.carry = this.parity = this.zero = this.sign = this.overflow = false;
  }

  /** As PUSHF stores them. */
  get word(): bigint {
    const bits = [
      this.carry,
      false,
      this.parity,
      false,
      false,
      false,
      this.zero,
      this.sign,
      false,
      false,
      false,
      this.overflow,
    ];
    return bits.reduce((word, bit, i) => (bit ? word | (1n << BigInt(i)) : word), 0n);
  }
  set word(word: bigint) {
    const bit = (i: bigint): boolean => ((word >> i) & 1n) === 1n;
    this.carry = bit(0n);
    this.parity = bit(2n);
    this.zero = bit(6n);
    this.sign = bit(7n);
    this.overflow = bit(11n);
  }

  add(a: bigint, b: bigint, width: Width, carryIn = false): bigint {
    const wide = a + b + (carryIn ? 1n : 0n);
    const result = wide & maskOf(width);
    this.carry = wide > maskOf(width);
    this.overflow = isNegative((a ^ result) & (b ^ result), width);
    return this.noteResult(result, width);
  }

  subtract(a: bigint, b: bigint, width: Width, borrowIn = false): bigint {
    const wide = a - b - (borrowIn ? 1n : 0n);
    const result = wide & maskOf(width);
    this.carry = wide < 0n;
    this.overflow = isNegative((a ^ b) & (a ^ result), width);
    return this.noteResult(result, width);
  }

  /** Of AND, OR, XOR and TEST. */
  logic(result: bigint, width: Width): bigint {
    this.carry = this.overflow = false;
    return this.noteResult(result & maskOf(width), width);
  }

  /** Signed product; overflow where the upper half is more than the sign. */
  multiply(a: bigint, b: bigint, width: Width): bigint {
    const exact = BigInt.asIntN(width, a) * BigInt.asIntN(width, b);
    const result = BigInt.asIntN(width, exact);
    this.carry = this.overflow = exact !== result;
    return result & maskOf(width);
  }

  /** INC and DEC leave the carry as it is. */
  step(value: bigint, by: 1n | -1n, width: Width): bigint {
    const { carry } = this;
    const result = by === 1n ? this.add(value, 1n, width) : this.subtract(value, 1n, width);
    this.carry = carry;
    return result;
  }

  /** Whether condition `code` of Jcc, SETcc and CMOVcc holds. */
  holds(code: number): boolean {
    const base = [
      this.overflow,
      this.carry,
      this.zero,
      this.carry || this.zero,
      this.sign,
      this.parity,
      this.sign !== this.overflow,
      this.zero || this.sign !== this.overflow,
    ][code >> 1]!;
    return (code & 1) === 1 ? !base : base;
  }

  noteResult(result: bigint, width: Width): bigint {
    this.zero = result === 0n;
    this.sign = isNegative(result, width);
    let ones = 0;
    for (let low = Number(result & 0xffn); low !== 0; low &= low - 1) ones++;
    this.parity = (ones & 1) === 0;
    return result;
  }
}

function isNegative(value: bigint, width: Width): boolean {
  return ((value >> BigInt(width - 1)) & 1n) === 1n;
}
