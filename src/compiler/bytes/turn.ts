/** Turns what machines of either byte order write into the canonical (little-endian) form, and back: the two are one. */

/** Reverses the bytes of every 32-bit word of `bytes` in [start, end), in place; a rest of less than a word stays. */
export function turnWords(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at + 4 <= end; at += 4) {
    swap(bytes, at, at + 3);
    swap(bytes, at + 1, at + 2);
  }
}

/**
 * Turns instructions of 8 bytes in place: offset and immediate are integers, and the two registers lie in C's bit-fields,
 * which compilers fill from the other end on big-endian machines. A rest of less than an instruction stays.
 */
export function turnInstructions(bytes: Uint8Array): void {
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const registers = bytes[at + 1]!;
    bytes[at + 1] = (registers >> 4) | (registers << 4);
    swap(bytes, at + 2, at + 3);
    turnWords(bytes, at + 4, at + 8);
  }
}

function swap(bytes: Uint8Array, a: number, b: number): void {
  const byte = bytes[a]!;
  bytes[a] = bytes[b]!;
  bytes[b] = byte;
}
