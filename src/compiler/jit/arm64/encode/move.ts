/** Moves of 16-bit immediates. `lane` is the 16-bit lane of the register, 0…3 (0…1 for W registers). */

const SF = 1 << 31;

function wideMove(base: number, wide: boolean, rd: number, imm16: number, lane: number): number {
  return (wide ? base | SF : base) | (lane << 21) | ((imm16 & 0xffff) << 5) | rd;
}

/** rd = ~(imm16 << 16·lane) */
export function movn(wide: boolean, rd: number, imm16: number, lane: number): number {
  return wideMove(0x12800000, wide, rd, imm16, lane);
}
/** rd = imm16 << 16·lane */
export function movz(wide: boolean, rd: number, imm16: number, lane: number): number {
  return wideMove(0x52800000, wide, rd, imm16, lane);
}
/** Replaces one lane of rd. */
export function movk(wide: boolean, rd: number, imm16: number, lane: number): number {
  return wideMove(0x72800000, wide, rd, imm16, lane);
}
