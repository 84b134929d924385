/** Mutations of files: bytes, words of interest, pieces moved, ends cut off. */
import fc from 'fast-check';

/** Where a file is changed, from 0 (its start) to 1 (its end), and how. */
export type Mutation =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'word'; readonly at: number; readonly value: number }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number; readonly length: number }
  | { readonly kind: 'cut'; readonly at: number };

/** Counts, offsets and indices at the edges of their types. */
const EDGES = [
  0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

const place = fc.double({ min: 0, max: 1, noNaN: true });
const word = fc.oneof(fc.constantFrom(...EDGES), fc.nat({ max: 64 }), fc.integer({ min: 0, max: 0xffffffff }));

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('byte' as const), at: place, value: fc.nat({ max: 255 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('word' as const), at: place, value: word }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('copy' as const), at: place, from: place, length: fc.nat({ max: 96 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: place }) },
);

/** The file with all mutations made to it, in order. */
export function mutate(file: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let bytes = Uint8Array.from(file);
  for (const change of mutations) {
    const at = Math.floor(change.at * Math.max(0, bytes.length - 1));
    if (change.kind === 'byte') bytes[at] = change.value;
    else if (change.kind === 'cut') bytes = bytes.slice(0, at);
    else if (change.kind === 'copy') copyWithin(bytes, at, Math.floor(change.from * bytes.length), change.length);
    else setWord(bytes, at & ~3, change.value);
  }
  return bytes;
}

function copyWithin(bytes: Uint8Array, to: number, from: number, length: number): void {
  bytes.copyWithin(to, from, Math.min(bytes.length, from + length));
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
}
