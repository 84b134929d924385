/** Branches. Distances count instructions, from the branch itself. */
import type { LongDistance, ShortDistance } from './immediates.js';

export function branch(distance: LongDistance): number {
  return 0x14000000 | (distance & 0x3ffffff);
}
export function branchLink(distance: LongDistance): number {
  return 0x94000000 | (distance & 0x3ffffff);
}
export function branchIf(condition: number, distance: ShortDistance): number {
  return 0x54000000 | ((distance & 0x7ffff) << 5) | condition;
}
export function branchIfZero(wide: boolean, rt: number, distance: ShortDistance): number {
  return (wide ? 0xb4000000 : 0x34000000) | ((distance & 0x7ffff) << 5) | rt;
}
export function branchIfNotZero(wide: boolean, rt: number, distance: ShortDistance): number {
  return (wide ? 0xb5000000 : 0x35000000) | ((distance & 0x7ffff) << 5) | rt;
}
export function branchRegister(rn: number): number {
  return 0xd61f0000 | (rn << 5);
}
export function branchLinkRegister(rn: number): number {
  return 0xd63f0000 | (rn << 5);
}
export function returnTo(rn: number): number {
  return 0xd65f0000 | (rn << 5);
}
