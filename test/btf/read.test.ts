/** Reading BTF: accessors, names, split BTF, sharing; and what is refused, in libbpf's words. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import t from 'tap';
import type { Btf, BtfImage } from '../../src/compiler/btf/btf.js';
import { resolveSize, typeAlignment, typeSize } from '../../src/compiler/btf/layout.js';
import { essentialLength } from '../../src/compiler/btf/names.js';
import { typeText } from '../../src/compiler/btf/print.js';
import { openBtf, readBtf, readSharedBtf } from '../../src/compiler/btf/read.js';
import { BtfBuilder } from './builder.js';

function open(blob: Uint8Array, base: Btf | null = null): Btf {
  const btf = readBtf(blob, base, '');
  if (!btf.ok) throw new Error(btf.failure.message);
  return btf.value;
}

function build(define: (b: BtfBuilder) => void): Uint8Array {
  const builder = new BtfBuilder();
  define(builder);
  return builder.build();
}

const example = build((b) => {
  const int = b.int('int', 4, 1); // 1
  const char = b.int('char', 1, 1); // 2
  const text = b.array(char, int, 16); // 3
  const node = b.nextId; // 4
  b.struct('node', 32, [
    ['value', int, 0],
    ['next', node + 1, 64],
    ['name', text, 128],
  ]);
  b.pointer(node); // 5
  b.typedef('node_t', b.add(10, '', node)); // const 6, typedef 7
  b.enumeration('colour', 4, [
    ['RED', 1],
    ['NONE', -1],
  ]); // 8
  b.array(b.nextId + 1, int, 0x10000); // 9
  b.array(node, int, 0x10000); // 10: 2^53 bytes and more
});

t.test('accessors', async (t) => {
  const btf = open(example);
  t.equal(btf.typeCount, 11);
  t.equal(btf.find('node', 4), 4);
  t.equal(btf.find('node', 1), 0, 'the kind counts');
  t.equal(btf.find('nod', 4), 0);
  t.same(btf.withName('int'), [1]);
  t.same(
    [0, 1, 2].map((i) => [btf.memberName(4, i), btf.memberType(4, i), btf.memberBitOffset(4, i)]),
    [
      ['value', 1, 0],
      ['next', 5, 64],
      ['name', 3, 128],
    ],
  );
  t.equal(btf.skipModifiers(7), 4);
  t.same([btf.enumName(8, 1), btf.enumValueLo(8, 1)], ['NONE', -1]);
});

t.test('sizes and alignments', async (t) => {
  const btf = open(example);
  t.same(
    [1, 3, 4, 5, 7, 8].map((id) => typeSize(btf, id)),
    [4, 16, 32, 8, 32, 4],
  );
  t.equal(typeSize(btf, 9), -1, 'more than 2^32');
  t.equal(typeSize(btf, 0), -1, 'void has none');
  t.same(resolveSize(btf, 3), { size: 16, elementId: 2, count: 16, id: 3 });
  t.equal(resolveSize(btf, 9), null);
  t.same(
    [1, 2, 3, 5].map((id) => typeAlignment(btf, id)),
    [4, 1, 1, 8],
  );
});

t.test('text', async (t) => {
  const btf = open(example);
  t.same(
    [0, 1, 3, 4, 5, 6, 7, 8].map((id) => typeText(btf, id)),
    ['void', 'int', 'char [16]', 'struct node', 'struct node *', 'const struct node', 'node_t', 'enum colour'],
  );
});

t.test('flavors', async (t) => {
  const names = ['a___b', 'task_struct___v5', 'task_struct', '___b', 'a___', 'a____b', 'a___b___c', 'a__b'];
  t.same(
    names.map((name) => name.slice(0, essentialLength(name))),
    ['a', 'task_struct', 'task_struct', '___b', 'a___', 'a____b', 'a___b', 'a__b'],
  );
  const blob = build((b) => names.forEach((name) => b.typedef(name, 0)));
  const { flavored } = open(blob).image.names;
  const found = [...flavored].map((id) => names[id - 1]);
  for (const name of names) {
    if (essentialLength(name) < name.length) t.ok(found.includes(name), `${name} is listed`);
  }
});

t.test('split BTF goes on where its base ends', async (t) => {
  const base = open(build((b) => b.int('int', 4, 1)));
  const builder = new BtfBuilder();
  // Ids and string offsets count from the base's on: the builder's own string section starts behind it.
  const shift = base.stringEnd;
  builder.add(2, 0, 1);
  builder.add(8, builder.string('mine') + shift, 2);
  const split = open(builder.build(), base);
  t.equal(split.firstId, 2);
  t.equal(split.typeCount, 4);
  t.equal(split.typeName(3), 'mine');
  t.equal(split.typeName(1), 'int');
  t.equal(split.find('mine', 8), 3);
  t.equal(split.find('int', 1), 1, 'looks in the base too');
  t.equal(split.findOwn('int', 1), 0);
  t.equal(typeText(split, 2), 'int *');
});

t.test('shared memory', async (t) => {
  const shared = new Uint8Array(new SharedArrayBuffer(example.length));
  shared.set(example);
  const image = readSharedBtf(shared, null);
  if (!image.ok) throw new Error(image.failure.message);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(image.value);
  const received = (receiveMessageOnPort(port2) as { message: BtfImage }).message;
  port1.close();
  const btf = openBtf(received, null, 'vmlinux');
  t.equal(btf.find('colour', 6), 8, 'found by an index that another thread made');
  t.equal(btf.blob.buffer instanceof SharedArrayBuffer, true, 'over the same memory');
});

t.test('an unaligned view', async (t) => {
  const moved = new Uint8Array(example.length + 1);
  moved.set(example, 1);
  t.equal(open(moved.subarray(1)).find('node', 4), 4);
});

t.test("what is refused, in libbpf's words", async (t) => {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['BTF header not found', example.slice(0, 20)],
    ['Invalid BTF magic: 0', new Uint8Array(64)],
    ['btf: type [1]: invalid referenced type ID 9', build((b) => b.pointer(9))],
    ['btf: type [1]: invalid type name (string offset 999)', build((b) => b.add(1, 999, 4, [32]))],
    [
      'btf: type [2]: invalid field name (string offset 999)',
      build((b) => b.add(4, 's', 4, [999, b.int('i', 4), 0], 1)),
    ],
    ['btf: type [2]: referenced type [1] is not FUNC_PROTO', build((b) => b.func('f', b.int('int', 4)))],
    ['Unsupported BTF_KIND:21', build((b) => b.add(21, 'x', 0))],
    ['BTF type [1] is malformed', build((b) => b.add(4, 's', 4, [], 5))],
  ];
  for (const [message, blob] of cases) {
    const read = readBtf(blob, null, '');
    t.match(read, { ok: false, failure: { code: 'BTF_INVALID', message, errno: -22 } }, message);
  }
});
