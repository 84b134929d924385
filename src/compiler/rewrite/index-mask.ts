/** Mask of an array's indices: its entries, rounded up to a power of two, less one (array_map_alloc). */
export function indexMask(maxEntries: number): number {
  const highest = maxEntries - 1;
  return highest === 0 ? 0 : (2 ** (32 - Math.clz32(highest)) - 1) | 0;
}
