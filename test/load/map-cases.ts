/** Attributes of maps that a kernel makes or refuses: what each type takes, and one step away from that in every direction. */

export interface MapCase {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

const NO_PREALLOC = 1;
const MMAPABLE = 1 << 10;
const FLAG_BITS = 19;
const LAST_TYPE = 34;

/** Key size, value size, entries, flags that a type takes, where they are not those of most. */
const TAKEN: Readonly<Record<number, readonly [number, number, number, number]>> = {
  1: [8, 16, 4, 0],
  5: [8, 16, 4, 0],
  7: [4, 64, 4, 0],
  9: [8, 16, 4, 0],
  10: [8, 16, 4, 0],
  11: [8, 8, 4, NO_PREALLOC],
  18: [8, 4, 4, 0],
  19: [16, 8, 0, 0],
  21: [16, 8, 0, 0],
  22: [0, 8, 4, 0],
  23: [0, 8, 4, 0],
  24: [4, 8, 0, NO_PREALLOC],
  26: [4, 8, 1, 0],
  27: [0, 0, 4096, 0],
  28: [4, 8, 0, NO_PREALLOC],
  29: [4, 8, 0, NO_PREALLOC],
  30: [0, 4, 4, 0],
  31: [0, 0, 4096, 0],
  32: [4, 8, 0, NO_PREALLOC],
  33: [0, 0, 4, MMAPABLE],
};

function casesOf(type: number): MapCase[] {
  const [keySize, valueSize, maxEntries, flags] = TAKEN[type] ?? [4, 4, 4, 0];
  const taken = { type, keySize, valueSize, maxEntries, flags };
  const steps: Partial<MapCase>[] = [
    {},
    { keySize: keySize + 1 },
    { keySize: 0 },
    { keySize: 8 },
    { keySize: 600 },
    { valueSize: 0 },
    { valueSize: valueSize + 4 },
    { valueSize: valueSize + 1 },
    { valueSize: 40_000 },
    { valueSize: 5 << 20 },
    { maxEntries: 0 },
    { maxEntries: maxEntries + 1 },
    { maxEntries: 600 },
    ...Array.from({ length: FLAG_BITS }, (_, bit) => ({ flags: flags ^ (1 << bit) })),
    { flags: flags | (3 << 3) },
    { flags: flags | (3 << 7) },
  ];
  return steps.map((step) => ({ ...taken, ...step }));
}

/** All cases, by type. */
export const MAP_CASES: readonly MapCase[] = Array.from({ length: LAST_TYPE + 1 }, (_, type) => casesOf(type)).flat();
