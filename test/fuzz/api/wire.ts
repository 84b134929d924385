/** Protobuf that nobody means well: wrong lengths, overlong numbers, groups, nesting, and messages that are nearly right. */
import { CompileRequestType, encode } from '../../../src/service/contract/schema.js';
import type { Random } from '../random.js';

const CODE = Buffer.from('b7000000020000009500000000000000', 'hex');
const MESSAGES: readonly Buffer[] = [
  {
    program: {
      name: 'p',
      type: 6,
      license: 'GPL',
      instructions: CODE,
      maps: [{ type: 2, keySize: 4, valueSize: 8, maxEntries: 1 }],
    },
  },
  { object: CODE, programs: ['a', 'b'], target: { kernel: 'x', cpu: { lse: true } }, options: { logLevel: 7 } },
  { program: { type: 6, instructions: CODE }, link: { symbols: { a: '0x1' }, maps: { m: { address: '0x2' } } } },
].map((message) => Buffer.from(encode(CompileRequestType, message)));

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  return Buffer.from([...out, rest]);
}

const tag = (number: number, wire: number): Buffer => varint(number * 8 + wire);
const field = (number: number, content: Buffer): Buffer =>
  Buffer.concat([tag(number, 2), varint(content.length), content]);
const repeat = (bytes: Buffer, count: number): Buffer => Buffer.alloc(bytes.length * count, bytes);

/** Each as deep, long or wide as it says. */
const HOSTILE: readonly ((random: Random) => Buffer)[] = [
  () => Buffer.alloc(30, 0xff), // a number that does not end
  () => Buffer.concat([tag(1, 0), Buffer.alloc(9, 0x80), Buffer.from([0x7f])]), // more than 64 bits
  () => Buffer.concat([tag(1, 2), varint(2 ** 32 - 1)]), // a length beyond the end
  () => Buffer.concat([tag(1, 2), varint(2 ** 40)]), // … and beyond 32 bits
  (random) => Buffer.concat([tag(0, random.below(8)), Buffer.alloc(9)]), // field number 0
  () => Buffer.concat([tag(2 ** 28, 0), Buffer.from([1])]),
  (random) => repeat(tag(random.pick([1, 3, 99]), 3), 20_000), // groups that never end
  (random) => Buffer.concat([repeat(tag(99, 3), 50), repeat(tag(random.pick([99, 98]), 4), 50)]), // … that end, or wrongly
  () => tag(1, 4), // the end of no group
  (random) => {
    let nested: Buffer = Buffer.alloc(0); // inner maps of inner maps
    for (let depth = random.pick([10, 40, 100, 1000]); depth > 0; depth--) nested = field(10, nested);
    return field(3, field(5, nested));
  },
  () => field(3, repeat(field(5, Buffer.alloc(0)), 400_000)), // a map is two bytes, and a hundred in memory
  () => repeat(field(2, Buffer.alloc(0)), 400_000), // so are names
  () => field(6, repeat(field(3, field(1, Buffer.from('k'))), 50)), // map entries without values, all with one key
  () => field(2, Buffer.from([0xc3, 0x28, 0xff])), // no UTF-8
  () => field(3, Buffer.concat([tag(2, 0), Buffer.alloc(9, 0xff), Buffer.from([1])])), // an enum of −1
  (random) => Buffer.concat([tag(3, random.pick([0, 1, 5])), Buffer.alloc(8, random.below(256))]), // another wire type
  () => repeat(field(3, field(4, CODE)), 30), // one message in pieces
];

/** Sometimes hostile, sometimes right with a few bytes changed. */
export function hostileMessage(random: Random): Buffer {
  if (random.oneIn(3)) return random.pick(HOSTILE)(random);
  const out = Buffer.from(random.pick(MESSAGES));
  for (let changes = random.below(4); changes > 0; changes--) out[random.below(out.length)] = random.below(256);
  if (random.oneIn(4)) return out.subarray(0, random.below(out.length));
  return random.oneIn(6) ? Buffer.concat([out, random.pick(HOSTILE)(random)]) : out;
}
