/** Bit-field moves and their aliases: shifts by a constant, zero and sign extension. */

const SF_N = (1 << 31) | (1 << 22);

/** immr and imms lie within the register: 0…63, or 0…31 for W registers. */
export function ubfm(wide: boolean, rd: number, rn: number, immr: number, imms: number): number {
  return (wide ? 0x53000000 | SF_N : 0x53000000) | (immr << 16) | (imms << 10) | (rn << 5) | rd;
}
export function sbfm(wide: boolean, rd: number, rn: number, immr: number, imms: number): number {
  return (wide ? 0x13000000 | SF_N : 0x13000000) | (immr << 16) | (imms << 10) | (rn << 5) | rd;
}

/** Shifts lie within the register's width. */
export function lsl(wide: boolean, rd: number, rn: number, shift: number): number {
  const top = wide ? 63 : 31;
  return ubfm(wide, rd, rn, -shift & top, top - shift);
}
export function lsr(wide: boolean, rd: number, rn: number, shift: number): number {
  return ubfm(wide, rd, rn, shift, wide ? 63 : 31);
}
export function asr(wide: boolean, rd: number, rn: number, shift: number): number {
  return sbfm(wide, rd, rn, shift, wide ? 63 : 31);
}

/** Extends the low `bits` (8, 16 or 32) with zeros or with their sign. */
export function zeroExtend(wide: boolean, rd: number, rn: number, bits: number): number {
  return ubfm(wide, rd, rn, 0, bits - 1);
}
export function signExtend(wide: boolean, rd: number, rn: number, bits: number): number {
  return sbfm(wide, rd, rn, 0, bits - 1);
}
