/** "r0,r2,r4" for 0x15. */
export function regMaskText(mask: number): string {
  const names: string[] = [];
  for (let i = 0; i < 32; i++) if ((mask & (1 << i)) !== 0) names.push(`r${i}`);
  return names.join(',');
}

/** "-8,-24,-40" for 0x15: the slots' offsets from the frame pointer. */
export function slotMaskText(lo: number, hi: number): string {
  const names: string[] = [];
  for (let i = 0; i < 64; i++) {
    const half = i < 32 ? lo : hi;
    if ((half & (1 << i)) !== 0) names.push(String(-(i + 1) * 8));
  }
  return names.join(',');
}
