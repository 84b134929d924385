/** Program BTFs that a kernel takes or refuses, one for each of its rules. What it said of them is in verdicts.json. */
import { BtfBuilder } from './builder.js';

const KIND_FLAG = 0x8000_0000;

function types(define: (b: BtfBuilder) => void): Uint8Array {
  const builder = new BtfBuilder();
  define(builder);
  return builder.build();
}

/** A good blob with a few of its bytes set. */
function damaged(at: number, ...bytes: readonly number[]): Uint8Array {
  const blob = types((b) => b.int('int', 4, 1));
  bytes.forEach((byte, i) => (blob[at + i] = byte));
  return blob;
}

function int(b: BtfBuilder): number {
  return b.int('int', 4, 1);
}

export const VERDICT_CASES: Readonly<Record<string, Uint8Array>> = {
  'good: one integer': types((b) => int(b)),
  'good: every kind': types((b) => {
    const i = int(b);
    const p = b.pointer(0);
    const a = b.array(i, i, 4);
    const s = b.struct('s', 24, [
      ['i', i, 0],
      ['p', p, 64],
      ['f', b.nextId + 1, 128],
    ]);
    b.add(16, 'float', 4);
    b.struct(
      'u',
      16,
      [
        ['a', a, 0],
        ['i', i, 0],
      ],
      5,
    );
    b.enumeration('e', 4, [
      ['A', 1],
      ['B', -1],
    ]);
    b.add(19, 'e64', 8, [b.string('C'), 1, 2], 1);
    b.add(7, 'fwd', 0);
    b.typedef('t', s);
    b.add(9, '', i);
    b.add(10, '', i);
    b.add(11, '', p);
    b.add(18, 'tag', i);
    const f = b.func(
      'f',
      b.prototype(i, [
        ['x', i],
        ['', 0],
      ]),
    );
    b.add(17, 'decl', f, [0]);
    const v = b.variable('v', i);
    b.section('.data', 4, [[v, 0, 4]]);
  }),
  'header: no magic': damaged(0, 1, 2),
  'header: version 2': damaged(2, 2),
  'header: flags': damaged(3, 1),
  'header: longer than all': damaged(4, 0xff, 0xff),
  'header: cut short': types((b) => int(b)).slice(0, 7),
  'header: no data': damaged(4, 24).slice(0, 24),
  'header: overlap': damaged(16, 4),
  'header: gap': damaged(8, 4),
  'header: types too long': damaged(12, 0xff),
  'header: types unaligned': damaged(12, 15),
  'strings: not at the end': new Uint8Array([...types((b) => int(b)), 0]),
  'strings: not ended': damaged(44, 0x41),
  'strings: no empty one': damaged(40, 0x41),
  'strings: none': types((b) => int(b)).slice(0, 40),
  'type: none': types(() => undefined),
  'type: unknown kind': types((b) => b.add(20, 'x', 0)),
  'type: kind 0': types((b) => b.add(0, 'x', 0)),
  'type: bits of info': types((b) => b.add(1, 'x', 4, [32], 0x10000)),
  'type: name out of strings': types((b) => b.add(1, 999, 4, [32])),
  'type: cut short': types((b) => b.add(4, 's', 4, [], 3)),
  'int: entries': types((b) => b.add(1, 'x', 4, [32], 1)),
  'int: flag': types((b) => b.add(1, 'x', 4, [32], KIND_FLAG)),
  'int: unknown bits': types((b) => b.add(1, 'x', 4, [0x1000_0020])),
  'int: too many bits': types((b) => b.add(1, 'x', 32, [0x0040_0080])),
  'int: larger than its size': types((b) => b.int('x', 2, 0, 32)),
  'int: two encodings': types((b) => b.int('x', 4, 3)),
  'pointer: name': types((b) => b.add(2, 'p', 0)),
  'pointer: entries': types((b) => b.add(2, '', 0, [], 1)),
  'pointer: no such type': types((b) => b.pointer(7)),
  'pointer: to a variable': types((b) => b.pointer(b.variable('v', int(b)))),
  'pointer: to itself': types((b) => b.pointer(1)),
  'pointer: to a function': types((b) => b.pointer(b.func('f', b.prototype(0, [])))),
  'typedef: no name': types((b) => b.typedef('', int(b))),
  'typedef: name with a space': types((b) => b.typedef('a b', int(b))),
  'typedef: name that starts with a digit': types((b) => b.typedef('1a', int(b))),
  'typedef: name with a dot': types((b) => b.typedef('a.b', int(b))),
  'typedef: of itself': types((b) => b.typedef('t', 1)),
  'typedef: of void': types((b) => b.typedef('t', 0)),
  'typedef: two of each other': types((b) => {
    b.typedef('a', 2);
    b.typedef('b', 1);
  }),
  'typedef: chain of 40': types((b) => {
    for (let i = 0; i < 40; i++) b.typedef(`t${i}`, i + 2);
    int(b);
  }),
  'const: name': types((b) => b.add(10, 'c', int(b))),
  'tag: no name': types((b) => b.add(18, '', int(b))),
  'tag: behind const': types((b) => b.add(10, '', b.add(18, 'tag', int(b)))),
  'tag: before const': types((b) => b.add(18, 'tag', b.add(10, '', int(b)))),
  'array: name': types((b) => b.add(3, 'a', 0, [int(b), 1, 1])),
  'array: size': types((b) => b.add(3, '', 4, [int(b), 1, 1])),
  'array: of void': types((b) => b.array(0, int(b), 1)),
  'array: by void': types((b) => b.array(int(b), 0, 1)),
  'array: of a function': types((b) => b.array(b.func('f', b.prototype(0, [])), int(b), 1)),
  'array: by a struct': types((b) => b.array(int(b), b.struct('s', 4, []), 1)),
  'array: of itself': types((b) => b.array(2, int(b), 1)),
  'array: too large': types((b) => {
    const i = int(b);
    b.array(b.array(i, i, 0x10000), i, 0x10000);
  }),
  'array: of odd integers': types((b) => b.array(b.int('bits', 4, 0, 7), int(b), 1)),
  'struct: bad name': types((b) => b.struct('a-b', 4, [])),
  'struct: bad member name': types((b) => b.struct('s', 4, [['a-b', int(b), 0]])),
  'struct: member name out of strings': types((b) => b.add(4, 's', 4, [999, int(b), 0], 1)),
  'struct: member of void': types((b) => b.struct('s', 4, [['v', 0, 0]])),
  'struct: member of no type': types((b) => b.struct('s', 4, [['v', 77, 0]])),
  'struct: member of a function': types((b) => b.struct('s', 4, [['f', b.func('f', b.prototype(0, [])), 0]])),
  'struct: members out of order': types((b) => {
    const i = int(b);
    b.struct('s', 8, [
      ['a', i, 32],
      ['b', i, 0],
    ]);
  }),
  'struct: member behind the end': types((b) => b.struct('s', 4, [['a', int(b), 64]])),
  'struct: member over the end': types((b) => b.struct('s', 4, [['a', int(b), 16]])),
  'struct: pointer between bytes': types((b) => b.struct('s', 16, [['p', b.pointer(0), 3]])),
  'struct: pointer over the end': types((b) => b.struct('s', 8, [['p', b.pointer(0), 8]])),
  'struct: array over the end': types((b) => {
    const i = int(b);
    b.struct('s', 8, [['a', b.array(i, i, 3), 0]]);
  }),
  'struct: of itself': types((b) => b.struct('s', 8, [['s', 1, 0]])),
  'struct: a pointer to itself': types((b) => b.struct('s', 8, [['p', b.pointer(2), 0]])),
  'struct: enumeration over the end': types((b) => b.struct('s', 2, [['e', b.enumeration('e', 4, [['A', 0]]), 0]])),
  'struct: float misplaced': types((b) => b.struct('s', 16, [['f', b.add(16, 'double', 8), 32]])),
  'struct: bits of a pointer': types((b) => {
    const p = b.pointer(0);
    b.add(4, 's', 8, [b.string('p'), p, 0x0400_0000], KIND_FLAG | 1);
  }),
  'struct: too many bits': types((b) => {
    const i = int(b);
    b.add(4, 's', 8, [b.string('p'), i, 0x2800_0000], KIND_FLAG | 1);
  }),
  'struct: bits that fit': types((b) => {
    const i = int(b);
    b.add(4, 's', 4, [b.string('a'), i, 0x0300_0000, b.string('b'), i, 0x0500_0003], KIND_FLAG | 2);
  }),
  'struct: bits of odd integers': types((b) => {
    const i = b.int('bits', 4, 0, 7);
    b.add(4, 's', 4, [b.string('a'), i, 0x0300_0000], KIND_FLAG | 1);
  }),
  'union: member with an offset': types((b) => b.struct('u', 8, [['a', int(b), 32]], 5)),
  'enum: size': types((b) => b.enumeration('e', 3, [])),
  'enum: bad name': types((b) => b.enumeration('e-', 4, [])),
  'enum: enumerator without a name': types((b) => b.add(6, 'e', 4, [0, 1], 1)),
  'enum: enumerator out of strings': types((b) => b.add(6, 'e', 4, [999, 1], 1)),
  'enum64: signed': types((b) => b.add(19, 'e', 8, [b.string('A'), 0xffff_ffff, 0xffff_ffff], KIND_FLAG | 1)),
  'fwd: no name': types((b) => b.add(7, '', 0)),
  'fwd: type': types((b) => b.add(7, 'f', 1)),
  'function: no name': types((b) => b.func('', b.prototype(0, []))),
  'function: linkage': types((b) => b.func('f', b.prototype(0, []), 2)),
  'function: no prototype': types((b) => b.func('f', int(b))),
  'function: parameter without a name': types((b) => b.func('f', b.prototype(0, [['', int(b)]]))),
  'prototype: name': types((b) => b.add(13, 'p', 0)),
  'prototype: parameter without a name': types((b) => b.prototype(0, [['', int(b)]])),
  'prototype: parameter of void': types((b) => {
    const i = int(b);
    b.prototype(0, [
      ['a', 0],
      ['b', i],
    ]);
  }),
  'prototype: variable arguments with a name': types((b) => b.prototype(0, [['a', 0]])),
  'prototype: bad parameter name': types((b) => b.prototype(0, [['a-', int(b)]])),
  'prototype: result without a size': types((b) => b.prototype(b.add(7, 'fwd', 0), [])),
  'prototype: parameter of a struct that is not there': types((b) => b.prototype(0, [['a', b.add(7, 'fwd', 0)]])),
  'variable: no name': types((b) => b.variable('', int(b))),
  'variable: of void': types((b) => b.variable('v', 0)),
  'variable: extern': types((b) => b.variable('v', int(b), 2)),
  'variable: of a forward declaration': types((b) => b.variable('v', b.add(7, 'fwd', 0))),
  'section: size 0': types((b) => b.section('.data', 0, [])),
  'section: no name': types((b) => b.section('', 4, [])),
  'section: name with a question mark': types((b) => b.section('?.data', 4, [])),
  'section: name with a control character': types((b) => b.section('.da\tta', 4, [])),
  'section: of an integer': types((b) => b.section('.data', 4, [[int(b), 0, 4]])),
  'section: overlap': types((b) => {
    const i = int(b);
    b.section('.data', 8, [
      [b.variable('a', i), 0, 4],
      [b.variable('b', i), 2, 4],
    ]);
  }),
  'section: behind the end': types((b) => b.section('.data', 4, [[b.variable('v', int(b)), 4, 4]])),
  'section: over the end': types((b) => b.section('.data', 6, [[b.variable('v', int(b)), 4, 4]])),
  'section: variable of no size': types((b) => b.section('.data', 4, [[b.variable('v', int(b)), 0, 0]])),
  'section: variable that is cut short': types((b) => b.section('.data', 4, [[b.variable('v', int(b)), 0, 2]])),
  'float: size': types((b) => b.add(16, 'f', 3)),
  'declaration tag: no value': types((b) => b.add(17, '', b.struct('s', 4, []), [0xffff_ffff])),
  'declaration tag: of an integer': types((b) => b.add(17, 't', int(b), [0xffff_ffff])),
  'declaration tag: component -2': types((b) => b.add(17, 't', b.struct('s', 4, []), [0xffff_fffe])),
  'declaration tag: component that is not there': types((b) => b.add(17, 't', b.struct('s', 4, []), [0])),
  'declaration tag: component of a variable': types((b) => b.add(17, 't', b.variable('v', int(b)), [0])),
  'special fields: two locks': types((b) => {
    const lock = b.struct('bpf_spin_lock', 4, [['val', b.int('u32', 4), 0]]);
    b.struct('s', 8, [
      ['a', lock, 0],
      ['b', lock, 32],
    ]);
  }),
  'special fields: list head without a lock': types((b) => {
    const u64 = b.int('u64', 8);
    const index = b.int('u32', 4);
    const head = b.struct('bpf_list_head', 16, [['o', b.array(u64, index, 2), 0]]);
    const link = b.struct('bpf_list_node', 24, [['o', b.array(u64, index, 3), 0]]);
    b.struct('node', 24, [['link', link, 0]]);
    b.add(17, 'contains:node:link', b.struct('s', 16, [['head', head, 0]]), [0]);
  }),
  'special fields: list head of nothing': types((b) => {
    const u64 = b.int('u64', 8);
    const index = b.int('u32', 4);
    const lock = b.struct('bpf_spin_lock', 4, [['val', index, 0]]);
    const head = b.struct('bpf_list_head', 16, [['o', b.array(u64, index, 2), 0]]);
    b.add(
      17,
      'contains:node:link',
      b.struct('s', 24, [
        ['lock', lock, 0],
        ['head', head, 64],
      ]),
      [1],
    );
  }),
  'special fields: list of itself': types((b) => {
    const u64 = b.int('u64', 8);
    const index = b.int('u32', 4);
    const lock = b.struct('bpf_spin_lock', 4, [['val', index, 0]]);
    const head = b.struct('bpf_list_head', 16, [['o', b.array(u64, index, 2), 0]]);
    const link = b.struct('bpf_list_node', 24, [['o', b.array(u64, index, 3), 0]]);
    const node = b.struct('node', 48, [
      ['lock', lock, 0],
      ['head', head, 64],
      ['link', link, 192],
    ]);
    b.add(17, 'contains:node:link', node, [1]);
  }),
  'special fields: pointer with two tags': types((b) => {
    const s = b.struct('s', 4, []);
    b.struct('t', 8, [['p', b.pointer(b.add(18, 'kptr', b.add(18, 'kptr', s))), 0]]);
  }),
  'special fields: pointer with an unknown tag': types((b) => {
    const s = b.struct('s', 4, []);
    b.struct('t', 8, [['p', b.pointer(b.add(18, 'other', s)), 0]]);
  }),
  'special fields: pointer to an object of the program': types((b) => {
    const s = b.struct('s', 4, []);
    b.struct('t', 8, [['p', b.pointer(b.add(18, 'kptr', s)), 0]]);
  }),
  'special fields: pointer to what the kernel does not lend': types((b) => {
    const s = b.struct('page', 4, []);
    b.struct('t', 8, [['p', b.pointer(b.add(18, 'kptr', s)), 0]]);
  }),
};
