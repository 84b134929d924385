/** A 64-bit address as two int32 halves. */
export interface Address {
  readonly hi: number;
  readonly lo: number;
}

/** address + offset, modulo 2^64; the offset is an integer below 2^52 either way. */
export function addOffset(address: Address, offset: number): Address {
  const sum = (address.lo >>> 0) + offset;
  return { hi: (address.hi + Math.floor(sum / 0x1_0000_0000)) | 0, lo: sum | 0 };
}

/** a - b as a signed number: exact below 2^53, and beyond it too far for any branch whatever it is rounded to. */
export function distance(a: Address, b: Address): number {
  const low = (a.lo >>> 0) - (b.lo >>> 0);
  const borrow = low < 0 ? 1 : 0;
  return ((a.hi - b.hi - borrow) | 0) * 0x1_0000_0000 + (low + borrow * 0x1_0000_0000);
}

export function addressOf(value: bigint): Address {
  return { hi: Number(BigInt.asIntN(32, value >> 32n)), lo: Number(BigInt.asIntN(32, value)) };
}

export function addressValue(address: Address): bigint {
  return (BigInt(address.hi >>> 0) << 32n) | BigInt(address.lo >>> 0);
}

export function isNull(address: Address): boolean {
  return address.hi === 0 && address.lo === 0;
}
