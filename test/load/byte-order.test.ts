/** The objects of test/objects, compiled for big-endian machines, against their little-endian twins. */
import t from 'tap';
import { readdirSync } from 'node:fs';
import { compile, type CompileResponse } from '../../src/compiler/compile.js';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import { BIG_ENDIAN, LITTLE_ENDIAN } from '../../src/compiler/bytes/byte-order.js';
import { loadObject, type LoadedObject } from '../../src/compiler/load/object.js';
import { readElf } from '../../src/compiler/elf/elf.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { loadProfile } from '../../src/service/targets.js';
import { bigEndianProfile } from '../objects/big-endian.js';
import { readObjectFile } from '../objects/golden.js';

const little = loadProfile();
const big = bigEndianProfile();
const names = readdirSync(new URL('../objects/bpfeb/', import.meta.url));

const read = (name: string, profile: Profile): Uint8Array => readObjectFile(profile === big ? `bpfeb/${name}` : name);

const load = (name: string, profile: Profile): LoadedObject =>
  loadObject(read(name, profile), profile, { programs: [], legacyMaps: true });

/** What a program is but for its BTF, which stands for itself: text. */
function programText(loaded: LoadedObject['programs'][number], instructions: boolean): string {
  if (!loaded.program.ok) return loaded.program.failure.message;
  const { functionName, type, expectedAttachType, license, funcInfo, lineInfo, btf } = loaded.program.value;
  const code = instructions ? Buffer.from(loaded.program.value.instructions.bytes).toString('hex') : '';
  const types = btf === null ? '' : Buffer.from(btf.blob).toString('hex');
  return JSON.stringify([functionName, type, expectedAttachType, license, funcInfo, lineInfo, code, types]);
}

/** Slots in which two programs differ, as offset and immediate say it. */
function differences(a: Instructions, b: Instructions): string[] {
  const text = (insns: Instructions, i: number): string =>
    `${insns.opcode(i).toString(16)} ${insns.off(i)} ${insns.imm(i)}`;
  return Array.from({ length: a.length }, (_, i) => `${i}: ${text(a, i)} / ${text(b, i)}`).filter((line) => {
    const [one, other] = line.slice(line.indexOf(':') + 2).split(' / ');
    return one !== other;
  });
}

/** Where the order shows in what the compiler makes of the same source, or CO-RE of the same field. */
const DIFFERENCES: Readonly<Record<string, readonly string[]>> = {
  // The bit-field's storage is a word of 4 bytes: bits 0 to 3 are its lowest, or its highest.
  'core.o fields': ['15: b7 0 60 / b7 0 35', '22: b7 0 61 / b7 0 56'],
  // A structure {u32 0x20, u8 1, 2, 3, 4} in one register.
  'maps.o tail': ['0: 18 0 32 / 18 0 16909060', '1: 0 0 67305985 / 0 0 32'],
  // The low byte of a 16-bit number comes second.
  'xdp_count.o xdp_main': ['6: 71 12 0 / 71 13 0', '7: 71 13 0 / 71 12 0'],
};

for (const name of names) {
  t.test(`${name} of either order`, async (t) => {
    const ours = load(name, little);
    const twins = load(name, big);
    t.equal(twins.failure, null);
    t.equal(twins.programs.length, ours.programs.length);
    for (const [i, one] of ours.programs.entries()) {
      const twin = twins.programs[i]!;
      const expected = DIFFERENCES[`${name} ${one.name}`] ?? [];
      t.equal(programText(twin, expected.length === 0), programText(one, expected.length === 0), one.name);
      if (!one.program.ok || !twin.program.ok) continue;
      t.same(differences(one.program.value.instructions, twin.program.value.instructions), expected, one.name);
    }
    const bare = ({ maps }: LoadedObject): unknown[] =>
      maps.map((map) => ({ ...map, btf: null, contents: null, innerMap: map.innerMap?.maxEntries }));
    t.same(bare(twins), bare(ours));
  });
}

t.test('numbers of data sections and of the configuration are in the order of the target', async (t) => {
  const contents = (name: string, map: string): string => {
    const found = load(name, big).maps.find((one) => one.name === map);
    return Buffer.from(found?.contents ?? []).toString('hex');
  };
  t.equal(contents('functions.o', 'function.data'), '0000000000000007');
  t.equal(contents('tracing.o', 'tracing.kconfig').slice(0, 18), '000000fa00060c7500');
});

/** An answer without what the order of bytes shows in. */
function answerText({ programs }: CompileResponse, order: Profile['byteOrder']): string[] {
  const canonical = (wire: Uint8Array): string => Buffer.from(Instructions.from(wire, order).bytes).toString('hex');
  return programs.map(({ name, errno, log, stats, instructions, translated, functions }) => {
    const code = functions.map((fn) => Buffer.from(fn.code).toString('hex'));
    return JSON.stringify([name, errno, log, stats, canonical(instructions), canonical(translated), code]);
  });
}

function ask(name: string, profile: Profile): CompileResponse {
  const options = { programs: [], program: null, cpu: {}, logLevel: 2, legacyMaps: true, link: null };
  return compile({ object: read(name, profile), ...options }, profile);
}

t.test('verdicts, logs and translations are the same, and answered in the order of the target', async (t) => {
  for (const name of names.filter((one) => !Object.keys(DIFFERENCES).some((key) => key.startsWith(one)))) {
    t.same(answerText(ask(name, big), BIG_ENDIAN), answerText(ask(name, little), LITTLE_ENDIAN), name);
  }
  const { instructions } = ask('bare.o', big).programs[0]!;
  t.same(
    instructions,
    load('bare.o', big).programs.flatMap(({ program }) =>
      program.ok ? [...program.value.instructions.toWire(BIG_ENDIAN)] : [],
    ),
  );
});

t.test('an object of the other order is refused in the words of libbpf', async (t) => {
  const failure = { stage: 'LOAD', code: 'ELF_INVALID', message: 'elf: endianness mismatch in object.', errno: -4003 };
  t.match(readElf(read('bare.o', big), LITTLE_ENDIAN), { ok: false, failure });
  t.match(readElf(read('bare.o', little), BIG_ENDIAN), { ok: false, failure });
});
