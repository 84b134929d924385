/** Shifts and rotations, by the number that stands in their ModRM byte. */
import { maskOf, type Flags, type Width } from './flags.js';

const ROL = 0;
const ROR = 1;
const SHL = 4;
const SHR = 5;
const SAR = 7;

/** The shifted value, or null for an operation that compilers do not emit. A count of zero changes no flag. */
export function shifted(operation: number, value: bigint, by: number, width: Width, flags: Flags): bigint | null {
  const count = by & (width === 64 ? 63 : 31);
  if (count === 0) return value;
  const bits = BigInt(count);
  const mask = maskOf(width);
  switch (operation) {
    case ROL:
    case ROR: {
      const left = BigInt(operation === ROL ? count % width : (width - (count % width)) % width);
      return ((value << left) | (value >> (BigInt(width) - left))) & mask;
    }
    case SHL: {
      const wide = value << bits;
      flags.carry = (wide & (mask + 1n)) !== 0n;
      return flags.noteResult(wide & mask, width);
    }
    case SHR:
      flags.carry = ((value >> (bits - 1n)) & 1n) === 1n;
      return flags.noteResult(value >> bits, width);
    case SAR: {
      const signed = BigInt.asIntN(width, value);
      flags.carry = ((signed >> (bits - 1n)) & 1n) === 1n;
      return flags.noteResult((signed >> bits) & mask, width);
    }
    default:
      return null;
  }
}
