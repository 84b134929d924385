/**
 * How much a body makes of itself when it is read: an empty message takes two bytes on the wire, or three in JSON, and a
 * hundred and more in memory. Bodies are looked through before, in one pass that allocates nothing.
 */
import protobuf from 'protobufjs';

/** Messages, elements, members and values of one body. Real ones have some thousands. */
export const MAX_PARTS = 250_000;
/** Nesting of messages and of unknown groups. */
const MAX_DEPTH = 64;

/** The body has more parts, or is nested deeper, than any that is meant well. */
export class TooHeavy extends Error {}

/** Of JSON text: every comma and opening bracket, also those in strings. Throws TooHeavy. */
export function checkJsonWeight(text: Uint8Array): void {
  let parts = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i];
    if (byte === 0x2c || byte === 0x5b || byte === 0x7b) parts++; // , [ {
  }
  if (parts > MAX_PARTS) throw new TooHeavy('has too many parts');
}

/** Of a message in protobuf encoding. Throws TooHeavy, or RangeError where it is no such message. */
export function checkWireWeight(type: protobuf.Type, bytes: Uint8Array): void {
  const reader = protobuf.Reader.create(bytes);
  new WireScan(reader).message(type, bytes.length, 0);
}

class WireScan {
  private parts = 0;

  constructor(private readonly reader: protobuf.Reader) {}

  /** `type` null: nothing is known of the fields. */
  message(type: protobuf.Type | null, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new TooHeavy('is nested too deeply');
    while (this.reader.pos < end) {
      const tag = this.reader.uint32();
      this.field(type?.fieldsById[tag >>> 3], tag & 7, depth);
    }
    if (this.reader.pos !== end) throw new RangeError('a field runs over the end of its message');
  }

  private field(field: protobuf.Field | undefined, wire: number, depth: number): void {
    if (++this.parts > MAX_PARTS) throw new TooHeavy('has too many parts');
    if (wire === 3) this.group(depth + 1);
    else if (wire !== 2 || field === undefined) this.reader.skipType(wire);
    else this.delimited(field.resolve(), depth);
  }

  private delimited(field: protobuf.Field, depth: number): void {
    const length = this.reader.uint32();
    const end = this.reader.pos + length;
    if (end > this.reader.len) throw new RangeError('a length runs over the end');
    const nested = field.resolvedType instanceof protobuf.Type ? field.resolvedType : null;
    if (field instanceof protobuf.MapField) this.entry(nested, end, depth + 1);
    else if (nested !== null) this.message(nested, end, depth + 1);
    else {
      // Packed numbers: at most one a byte.
      if (field.repeated && field.type !== 'string' && field.type !== 'bytes') this.parts += length;
      this.reader.pos = end;
    }
  }

  /** Of a map: its value is field 2. */
  private entry(value: protobuf.Type | null, end: number, depth: number): void {
    while (this.reader.pos < end) {
      const tag = this.reader.uint32();
      if (tag === 0x12 && value !== null) {
        const length = this.reader.uint32();
        if (this.reader.pos + length > end) throw new RangeError('a length runs over the end');
        this.message(value, this.reader.pos + length, depth + 1);
      } else this.field(undefined, tag & 7, depth);
    }
  }

  private group(depth: number): void {
    if (depth > MAX_DEPTH) throw new TooHeavy('is nested too deeply');
    for (let tag = this.reader.uint32(); (tag & 7) !== 4; tag = this.reader.uint32())
      this.field(undefined, tag & 7, depth);
  }
}
