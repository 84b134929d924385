/** 32-bit numbers as the machine has them: bpf(2)'s attributes and records. */
import { turnWords } from '../../../src/compiler/bytes/turn.js';
import { LITTLE_ENDIAN, type ByteOrder } from '../../../src/compiler/bytes/byte-order.js';

/** Numbers one behind the other. */
export function words(order: ByteOrder, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32LE(value >>> 0, 4 * i));
  if (order !== LITTLE_ENDIAN) turnWords(bytes, 0, bytes.length);
  return bytes;
}

/** union bpf_attr of `size` bytes: zero but for numbers at offsets, by turns. */
export function attribute(order: ByteOrder, size: number, fields: readonly (readonly [number, number])[]): Buffer {
  const values = new Array<number>(size / 4).fill(0);
  for (const [offset, value] of fields) values[offset / 4] = value;
  return words(order, values);
}
