/** CO-RE piece by piece: access strings, candidates, values, patches. What whole programs become is in test/load. */
import t from 'tap';
import type { Btf } from '../../src/compiler/btf/btf.js';
import { readBtf } from '../../src/compiler/btf/read.js';
import { Budget } from '../../src/compiler/core/budget.js';
import type { Resolution } from '../../src/compiler/core/calculate.js';
import { findCandidates } from '../../src/compiler/core/candidates.js';
import { typesCompatible } from '../../src/compiler/core/compatible.js';
import { formatRelocation } from '../../src/compiler/core/format.js';
import { typesMatch } from '../../src/compiler/core/match.js';
import { patchInstruction, POISON_HELPER } from '../../src/compiler/core/patch.js';
import * as kinds from '../../src/compiler/core/relocation.js';
import { CoreResolver, isCoreFailure } from '../../src/compiler/core/resolve.js';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import { BtfBuilder } from '../btf/builder.js';

function types(define: (b: BtfBuilder) => void): Btf {
  const builder = new BtfBuilder();
  define(builder);
  const btf = readBtf(builder.build(), null, '');
  if (!btf.ok) throw new Error(btf.failure.message);
  return btf.value;
}

const ACCESSES = ['0', '0:0', '0:1', '0:2', '0:1:3', '2:0', '0:9', ':', 'x', '0:1:99'];

/** The program's types: access strings first, so that their offsets are known. */
const offsets = new Map<string, number>();
const local = types((b) => {
  for (const access of ACCESSES) offsets.set(access, b.string(access));
  const int = b.int('int', 4, 1); // 1
  const array = b.array(int, int, 4); // 2
  b.struct('pair___mine', 24, [
    ['a', int, 0],
    ['b', array, 64],
    ['gone', int, 32],
  ]); // 3
  b.enumeration('e', 4, [
    ['A', 7],
    ['GONE', 9],
  ]); // 4
});

const target = types((b) => {
  const int = b.int('int', 4, 1); // 1
  const array = b.array(int, int, 8); // 2
  const inner = b.struct('', 36, [['b', array, 32]]); // 3
  b.struct('pair', 44, [
    ['x', int, 0],
    ['a', int, 32],
    ['', inner, 64],
  ]); // 4
  b.enumeration('e', 4, [
    ['Z', 0],
    ['A', 3],
  ]); // 5
  b.struct('pair___old', 4, [['other', int, 0]]); // 6
});

function resolve(typeId: number, access: string, kind: number): bigint | string {
  const resolver = new CoreResolver(local, target, new Budget(1000));
  const answer = resolver.resolve({ typeId, accessOff: offsets.get(access)!, kind });
  if (isCoreFailure(answer)) return answer.message;
  return answer.poison ? 'poison' : answer.value;
}

t.test('fields', async (t) => {
  t.equal(resolve(3, '0:0', kinds.FIELD_BYTE_OFFSET), 4n);
  t.equal(resolve(3, '0:1', kinds.FIELD_BYTE_OFFSET), 12n, 'through an anonymous struct');
  t.equal(resolve(3, '0:1:3', kinds.FIELD_BYTE_OFFSET), 24n);
  t.equal(resolve(3, '2:0', kinds.FIELD_BYTE_OFFSET), 92n, "an element, by the target's size");
  t.equal(resolve(3, '0:0', kinds.FIELD_BYTE_SIZE), 4n);
  t.equal(resolve(3, '0:0', kinds.FIELD_SIGNED), 1n);
  t.equal(resolve(3, '0:0', kinds.FIELD_LSHIFT_U64), 32n);
  t.equal(resolve(3, '0:0', kinds.FIELD_RSHIFT_U64), 32n);
  t.equal(resolve(3, '0:0', kinds.FIELD_EXISTS), 1n);
  t.equal(resolve(3, '0:2', kinds.FIELD_EXISTS), 0n);
  t.equal(resolve(3, '0:2', kinds.FIELD_BYTE_OFFSET), 'poison');
  for (const access of ['0:9', ':', 'x', '0:1:99']) {
    t.match(
      resolve(3, access, kinds.FIELD_BYTE_OFFSET),
      /^parsing \[3\] struct pair___mine \+ .* failed: -22$/,
      access,
    );
  }
});

t.test('types', async (t) => {
  t.equal(resolve(3, '0', kinds.TYPE_ID_LOCAL), 3n);
  t.match(resolve(3, '0', kinds.TYPE_ID_TARGET), /ambiguity: success 6 != success 4$/, 'two flavors that both fit');
  t.equal(resolve(4, '0', kinds.TYPE_ID_TARGET), 5n);
  t.equal(resolve(4, '0', kinds.TYPE_SIZE), 4n);
  t.equal(resolve(4, '0', kinds.TYPE_EXISTS), 1n);
  t.equal(resolve(4, '0', kinds.TYPE_MATCHES), 0n, 'an enumerator is missing');
  t.match(resolve(2, '0', kinds.TYPE_EXISTS), /doesn't support anonymous types$/);
});

t.test('enumerators', async (t) => {
  t.equal(resolve(4, '0', kinds.ENUMVAL_VALUE), 3n);
  t.equal(resolve(4, '0', kinds.ENUMVAL_EXISTS), 1n);
  t.match(resolve(4, '9', kinds.ENUMVAL_VALUE), /^parsing/);
});

t.test('an unknown kind', async (t) => {
  t.match(resolve(3, '0', 99), /^parsing/);
});

t.test('candidates are those of the name, flavors aside, and the kind', async (t) => {
  const idsOf = (localId: number): number[] =>
    findCandidates(local, localId, target, [], new Budget(1000)).map(({ id }) => id);
  t.same(idsOf(3), [4, 6]);
  t.same(idsOf(4), [5]);
});

t.test('compatible and matching types', async (t) => {
  const budget = new Budget(1000);
  t.equal(typesCompatible(local, 3, target, 4, budget), 1, 'structs, whatever their members');
  t.equal(typesMatch(local, 3, target, 4, budget), 0, 'a member is missing');
  t.equal(typesMatch(target, 6, target, 6, budget), 1);
  t.equal(typesCompatible(local, 3, target, 5, budget), 0);
  t.ok(typesCompatible(local, 3, target, 4, new Budget(0)) < 0, 'without budget');
});

t.test('as libbpf prints them', async (t) => {
  const text = (typeId: number, access: string, kind: number): string | null =>
    formatRelocation(local, { typeId, accessOff: offsets.get(access)!, kind });
  t.equal(text(3, '0:1:3', kinds.FIELD_BYTE_OFFSET), '<byte_off> [3] struct pair___mine.b[3] (0:1:3 @ offset 20)');
  t.equal(text(3, '2:0', kinds.FIELD_EXISTS), '<field_exists> [3] struct pair___mine[2].a (2:0 @ offset 48)');
  t.equal(text(4, '0', kinds.ENUMVAL_VALUE), '<enumval_value> [4] enum e::A = 7');
  t.equal(text(3, '0', kinds.TYPE_SIZE), '<type_size> [3] struct pair___mine');
  t.equal(text(3, 'x', kinds.FIELD_EXISTS), null);
});

function resolution(part: Partial<Resolution>): Resolution {
  const none = { original: 0n, value: 0n, poison: false, validate: true };
  return { ...none, originalSize: 0, size: 0, sizeMismatch: false, ...part };
}

/** Patches one instruction given in hexadecimal, and answers what comes out of it. */
function patch(hex: string, part: Partial<Resolution>): string {
  const insns = Instructions.from(Uint8Array.from(Buffer.from(hex, 'hex')));
  const failure = patchInstruction(insns, 0, resolution(part));
  return failure === null ? Buffer.from(insns.bytes).toString('hex') : failure.message;
}

t.test('patches', async (t) => {
  t.equal(Number(POISON_HELPER).toString(16), 'bad2310');
  t.equal(patch('b701000004000000', { original: 4n, value: 9n }), 'b701000009000000', 'mov');
  t.equal(patch('0701000004000000', { original: 4n, value: 9n }), '0701000009000000', 'add');
  t.equal(patch('b701000005000000', { original: 4n, value: 9n, validate: false }), 'b701000009000000', 'unchecked');
  t.match(patch('b701000005000000', { original: 4n, value: 9n }), /value: got 5, exp 4 -> 9$/);
  t.equal(patch('6112040000000000', { original: 4n, value: 8n, originalSize: 4, size: 4 }), '6112080000000000', 'ldx');
  t.equal(
    patch('6112040000000000', { original: 4n, value: 8n, originalSize: 4, size: 2 }),
    '6912080000000000',
    'narrower',
  );
  t.equal(patch('7b12040000000000', { original: 4n, value: 8n, originalSize: 8, size: 1 }), '7312080000000000', 'stx');
  t.match(
    patch('6112040000000000', { original: 4n, value: 8n, originalSize: 8, size: 4 }),
    /unexpected mem size: got 4, exp 8$/,
  );
  t.match(patch('6112040000000000', { original: 4n, value: 8n, originalSize: 4, size: 3 }), /invalid new mem size: 3$/);
  t.match(patch('6112040000000000', { original: 4n, value: 40000n }), /value too big: 40000$/);
  t.equal(patch('6112040000000000', { original: 4n, value: 8n, sizeMismatch: true }), '850000001023ad0b', 'mismatch');
  t.equal(patch('6112040000000000', { poison: true }), '850000001023ad0b');
  t.equal(
    patch('18010000040000000000000000000000', { original: 4n, value: 0x1_0000_0002n }),
    '18010000020000000000000001000000',
    'ld_imm64',
  );
  t.equal(patch('18010000040000000000000000000000', { poison: true }), '850000001023ad0b'.repeat(2));
  t.match(patch('18110000040000000000000000000000', { original: 4n }), /unexpected form$/);
  t.match(patch('1f12000000000000', { original: 0n }), /trying to relocate unrecognized insn #0, code:0x1f/);
  t.match(patch('0500000000000000', { original: 0n }), /unrecognized/);
});
