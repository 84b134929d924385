/** Bodies that are small on the wire and large in memory are refused before they are read. */
import t from 'tap';
import { requestFromJson, requestFromProtobuf } from '../../src/service/contract/request.js';
import { CompileRequestType, encode } from '../../src/service/contract/schema.js';

const varint = (value: number): number[] => (value > 0x7f ? [(value & 0x7f) | 0x80, ...varint(value >>> 7)] : [value]);
const field = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, ...varint(content.length)]), content]);
const many = (bytes: Buffer, count: number): Buffer => Buffer.alloc(bytes.length * count, bytes);
const EMPTY: Buffer = Buffer.alloc(0);
const heavy = { code: 'MALFORMED_BODY', detail: /has too many parts|nested too deeply/ };

t.test('protobuf', (t) => {
  const bodies: Readonly<Record<string, Buffer>> = {
    'maps, two bytes each': field(3, many(field(5, EMPTY), 300_000)),
    'names, two bytes each': many(field(2, EMPTY), 300_000),
    'symbols without name or value': field(6, many(field(3, EMPTY), 300_000)),
    'fields that nobody knows': many(Buffer.from([0x78, 0]), 300_000),
    'groups in groups': many(Buffer.from([0x7b]), 300_000),
    'one program, many times': many(field(3, EMPTY), 300_000),
  };
  for (const [name, body] of Object.entries(bodies)) {
    const before = process.memoryUsage().heapUsed;
    t.throws(() => requestFromProtobuf(body), heavy, name);
    t.ok(process.memoryUsage().heapUsed - before < 8 * 1024 * 1024, `${name}: nothing is made of it`);
  }
  let nested: Buffer = EMPTY;
  for (let i = 0; i < 100; i++) nested = field(10, nested);
  t.throws(() => requestFromProtobuf(field(3, field(5, nested))), heavy, 'maps in maps');
  const damaged = { code: 'MALFORMED_BODY', detail: /is not a CompileRequest/ };
  t.throws(
    () => requestFromProtobuf(Buffer.from([0x1a, 2, 0x2a, 5, 0, 0, 0, 0, 0])),
    damaged,
    'over the end of its message',
  );
  const symbols = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`symbol_${i}`, '0x1']));
  const large = { object: Buffer.alloc(30_000_000), link: { symbols }, programs: Array<string>(1000).fill('p') };
  t.equal(requestFromProtobuf(encode(CompileRequestType, large)).programs?.length, 1000, 'large and honest');
  t.end();
});

t.test('JSON', (t) => {
  t.throws(() => requestFromJson(Buffer.from(`{"programs":[${'"",'.repeat(300_000)}""]}`)), heavy);
  t.throws(() => requestFromJson(Buffer.from('['.repeat(300_000))), heavy);
  t.throws(() => requestFromJson(Buffer.from(`{"program":{"maps":[${'{},'.repeat(300_000)}{}]}}`)), heavy);
  const object = Buffer.alloc(3_000_000, 0xfb).toString('base64');
  t.equal(requestFromJson(Buffer.from(JSON.stringify({ object }))).object?.length, 3_000_000);
  t.end();
});
