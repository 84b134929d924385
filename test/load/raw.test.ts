/** Raw programs: attributes, maps with types, what they are attached to, and what the kernel refuses before it verifies. */
import t from 'tap';
import { loadRaw, type RawMapInput, type RawProgramInput } from '../../src/compiler/load/raw.js';
import { loadProfile } from '../../src/service/targets.js';
import { BtfBuilder } from '../btf/builder.js';

const profile = await loadProfile('linux-6.12-arm64');
const NO_BYTES = new Uint8Array(0);
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** r0 = 0; exit: a socket filter. */
function raw(part: Partial<RawProgramInput>): RawProgramInput {
  return {
    name: 'p',
    type: 1,
    expectedAttachType: 0,
    instructions: bytes('b7000000000000009500000000000000'),
    maps: [],
    btf: NO_BYTES,
    funcInfo: NO_BYTES,
    lineInfo: NO_BYTES,
    license: 'GPL',
    flags: 0,
    attachTo: '',
    attachBtfId: 0,
    ...part,
  };
}

function map(part: Partial<RawMapInput>): RawMapInput {
  const sizes = { keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, mapExtra: 0n };
  return { name: 'm', type: 2, ...sizes, btfKeyTypeId: 0, btfValueTypeId: 0, innerMap: null, ...part };
}

const types = new BtfBuilder();
const int = types.int('int', 4);
const lock = types.struct('bpf_spin_lock', 4, [['val', int, 0]]);
const value = types.struct('value', 8, [
  ['lock', lock, 0],
  ['count', int, 32],
]);
const prototype = types.prototype(int, []);
types.func('p', prototype);
const btf = types.build();

t.test('a program', async (t) => {
  const funcInfo = bytes('0000000005000000');
  const lineInfo = bytes('00000000010000000200000003040000');
  const loaded = loadRaw(
    raw({ btf, funcInfo, lineInfo, maps: [map({ btfKeyTypeId: int, btfValueTypeId: value })] }),
    profile,
  );
  if (!loaded.ok) throw new Error(loaded.failure.message);
  const program = loaded.value;
  t.same(program.funcInfo, [{ instruction: 0, typeId: 5 }]);
  t.same(program.lineInfo, [{ instruction: 0, fileNameOff: 1, lineOff: 2, lineCol: 0x403 }]);
  t.equal(program.btf?.typeName(5), 'p');
  t.equal(program.maps[0]?.btf, program.btf, 'the map is typed by the same BTF');
});

t.test('attached to', async (t) => {
  const cases: readonly (readonly [string, Partial<RawProgramInput>, string])[] = [
    ['do_nanosleep', { type: 26, expectedAttachType: 24 }, 'do_nanosleep'],
    ['vmlinux:do_nanosleep', { type: 26, expectedAttachType: 24 }, 'do_nanosleep'],
    ['sched_switch', { type: 26, expectedAttachType: 23 }, 'btf_trace_sched_switch'],
    ['file_open', { type: 29, expectedAttachType: 27 }, 'bpf_lsm_file_open'],
    ['task', { type: 26, expectedAttachType: 28 }, 'bpf_iter_task'],
    ['tcp_congestion_ops', { type: 27 }, 'tcp_congestion_ops'],
  ];
  for (const [attachTo, part, found] of cases) {
    const loaded = loadRaw(raw({ ...part, attachTo }), profile);
    t.ok(loaded.ok && profile.btf.typeName(loaded.value.attachBtfId) === found, attachTo);
    t.ok(loaded.ok && loaded.value.attachBtf === profile.btf);
  }
  const byId = loadRaw(raw({ type: 26, expectedAttachType: 24, attachBtfId: 77 }), profile);
  t.ok(byId.ok && byId.value.attachBtfId === 77);
});

t.test('attach types that are implied', async (t) => {
  const implied = (type: number): number | null => {
    const loaded = loadRaw(raw({ type }), profile);
    return loaded.ok ? loaded.value.expectedAttachType : null;
  };
  t.equal(implied(9), 2, 'cgroup sockets: when one is made');
  t.equal(implied(21), 39, 'reuseport: select');
});

t.test('what is refused', async (t) => {
  const many = Array.from({ length: 65 }, () => map({}));
  const cases: readonly (readonly [string, Partial<RawProgramInput>, string, number])[] = [
    ['no instructions', { instructions: NO_BYTES }, 'PROGRAM_ATTRIBUTES', -7],
    ['half an instruction', { instructions: bytes('b7000000') }, 'INSTRUCTIONS', -22],
    ['an unknown type', { type: 99 }, 'PROGRAM_ATTRIBUTES', -22],
    ['a type the kernel was built without', { type: 20, expectedAttachType: 16 }, 'PROGRAM_ATTRIBUTES', -22],
    ['a wrong attach type', { type: 18, expectedAttachType: 1 }, 'PROGRAM_ATTRIBUTES', -22],
    ['unknown flags', { flags: 1 << 20 }, 'PROGRAM_ATTRIBUTES', -22],
    ['a name with a space', { name: 'a b' }, 'PROGRAM_ATTRIBUTES', -22],
    ['an attach target for a socket filter', { attachBtfId: 5 }, 'PROGRAM_ATTRIBUTES', -22],
    ['no such target', { type: 26, expectedAttachType: 24, attachTo: 'no_such_function' }, 'ATTACH_TARGET', -3],
    ['a target in no module', { type: 26, expectedAttachType: 24, attachTo: 'mod:do_nanosleep' }, 'ATTACH_TARGET', -3],
    ['a map of no size', { maps: [map({ maxEntries: 0 })] }, 'MAP_CREATE', -22],
    ['a typed map without types', { maps: [map({ btfKeyTypeId: 1, btfValueTypeId: 1 })] }, 'MAP_CREATE', -22],
    ['a key of another size', { btf, maps: [map({ btfKeyTypeId: value, btfValueTypeId: value })] }, 'MAP_CREATE', -22],
    [
      'a lock where none may be',
      { btf, maps: [map({ type: 6, btfKeyTypeId: int, btfValueTypeId: value })] },
      'MAP_CREATE',
      -95,
    ],
    [
      'a lock in what programs may only read',
      { btf, maps: [map({ flags: 128, btfKeyTypeId: int, btfValueTypeId: value })] },
      'MAP_CREATE',
      -13,
    ],
    ['a map of maps without a template', { maps: [map({ type: 12, valueSize: 4 })] }, 'MAP_CREATE', -22],
    [
      'a map of maps of maps',
      { maps: [map({ type: 12, valueSize: 4, innerMap: map({ type: 12, valueSize: 4 }) })] },
      'MAP_CREATE',
      -22,
    ],
    ['too many maps', { maps: many }, 'PROGRAM_ATTRIBUTES', -7],
    ['no BTF', { btf: bytes('00000000') }, 'BTF_REJECTED', -22],
    ['half a record', { funcInfo: bytes('00000000') }, 'FUNC_INFO', -22],
    ['half a line', { lineInfo: bytes('00000000') }, 'LINE_INFO', -22],
  ];
  for (const [what, part, code, errno] of cases) {
    const loaded = loadRaw(raw(part), profile);
    t.match(loaded, { ok: false, failure: { stage: 'LOAD', code, errno } }, what);
  }
});

t.test("the kernel's log of a bad BTF is the message", async (t) => {
  const bad = new BtfBuilder();
  bad.typedef('1st', bad.int('int', 4));
  const loaded = loadRaw(raw({ btf: bad.build() }), profile);
  t.match(loaded, { ok: false, failure: { message: /\n\[2\] TYPEDEF 1st type_id=1 Invalid name\n/ } });
});
