/**
 * The two orders of bytes that machines keep integers in, and everything about them that has meaning to a program.
 *
 * Inside, all numbers have one canonical form (a little-endian machine's, as every host is one): what is read is turned
 * where it comes in (`bytes/turn.ts`, `ByteReader`), what is answered where it leaves. What remains is where a program can
 * *see* the order: a part of an integer in memory, and bit-fields.
 */
export interface ByteOrder {
  readonly name: 'little' | 'big';
  /** EI_DATA of an ELF file's identification. */
  readonly elfData: 1 | 2;
  /** Where in memory the low `size` bytes of an integer of `width` bytes begin, counted from its first byte. */
  lowPart(size: number, width: number): number;
  /** How many bits of an integer of `width` bytes lie below the `size` bytes that begin at byte `offset` of it. */
  bitsBelow(offset: number, size: number, width: number): number;
  /** How many bits of an integer of `width` bytes lie above the `size` bits that begin at bit `offset`, as BTF counts bits. */
  bitsAbove(offset: number, size: number, width: number): number;
}

export const LITTLE_ENDIAN: ByteOrder = {
  name: 'little',
  elfData: 1,
  lowPart: () => 0,
  bitsBelow: (offset) => offset * 8,
  bitsAbove: (offset, size, width) => width * 8 - offset - size,
};

export const BIG_ENDIAN: ByteOrder = {
  name: 'big',
  elfData: 2,
  lowPart: (size, width) => width - size,
  bitsBelow: (offset, size, width) => (width - offset - size) * 8,
  bitsAbove: (offset) => offset,
};

const ORDERS = [LITTLE_ENDIAN, BIG_ENDIAN];

/** The order that an ELF file's EI_DATA stands for, or null. */
export function byteOrderOfElf(data: number): ByteOrder | null {
  return ORDERS.find(({ elfData }) => elfData === data) ?? null;
}
