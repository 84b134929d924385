/** Numbers as the log writes them: small ones in decimal, the rest in hexadecimal. Arguments are int32 halves. */

/** "0x…" of 64 bits, as %#llx. */
export function hex64(hi: number, lo: number): string {
  const low = (lo >>> 0).toString(16);
  return hi === 0 ? `0x${low}` : `0x${(hi >>> 0).toString(16)}${low.padStart(8, '0')}`;
}

/** Unsigned: decimal up to 65535. */
export function unsignedText(hi: number, lo: number): string {
  return hi === 0 && lo >>> 0 <= 0xffff ? String(lo) : hex64(hi, lo);
}

/** Whether a signed number is written in decimal: 16 bits hold it. */
export function isShortSigned(hi: number, lo: number): boolean {
  return hi === lo >> 31 && lo >= -0x8000 && lo <= 0x7fff;
}

/** Signed: decimal from -32768 to 32767. */
export function signedText(hi: number, lo: number): string {
  return isShortSigned(hi, lo) ? String(lo) : hex64(hi, lo);
}

/** A known value, or "(value; mask)" with the unknown bits in the mask. */
export function tnumText(valueHi: number, valueLo: number, maskHi: number, maskLo: number): string {
  if ((maskHi | maskLo) === 0) return unsignedText(valueHi, valueLo);
  return `(${hex64(valueHi, valueLo)}; ${hex64(maskHi, maskLo)})`;
}

/** Decimal of 64 bits, unsigned or signed, as %llu and %lld. */
export function decimal64(hi: number, lo: number, signed: boolean): string {
  if (hi === 0) return String(lo >>> 0);
  if (signed && hi === -1 && lo < 0) return String(lo);
  const value = (BigInt(hi) << 32n) | BigInt(lo >>> 0);
  return (signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)).toString();
}
