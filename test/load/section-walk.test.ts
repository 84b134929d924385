/** libbpf walks an object's sections once: whichever is wrong first is what it says. The objects are recorded with the others of their folder. */
import t from 'tap';
import { loadObject } from '../../src/compiler/load/object.js';
import { loadProfile } from '../../src/service/targets.js';
import { readObjectFile } from '../objects/golden.js';

const profile = loadProfile('linux-6.12-arm64');
const refusal = (name: string, legacyMaps = false): unknown => {
  return loadObject(readObjectFile(`refused/${name}`), profile, { programs: [], legacyMaps }).failure;
};

t.test('a static program before the maps', async (t) => {
  const message = "sec 'early': program 'hidden' is static and not supported";
  t.match(refusal('section_order.o'), { code: 'STATIC_PROGRAM', errno: -95, message });
});

t.test('maps before the strings that symbols lack', async (t) => {
  t.match(refusal('strings.o'), { code: 'LEGACY_MAPS', errno: -95 });
  t.match(refusal('strings_alone.o'), {
    ...{ code: 'ELF_INVALID', errno: -4001, message: 'elf: symbol strings section missing or invalid in object' },
  });
});

t.test("maps of data sections are named after the object's file", async (t) => {
  const load = (objectName?: string): string[] => {
    const options = { programs: [], legacyMaps: false, ...(objectName === undefined ? {} : { objectName }) };
    return loadObject(readObjectFile('tracing.o'), profile, options).maps.map(({ fullName }) => fullName);
  };
  const data = load().filter((name) => name.includes('.'));
  t.ok(data.length > 0);
  const named = (prefix: string): string[] =>
    data.map((name) => {
      const section = name.slice(name.indexOf('.'));
      return prefix.slice(0, 15 - Math.max(7, section.length)) + section;
    });
  const found = (file: string): string[] => load(file).filter((name) => name.includes('.'));
  t.strictSame(found('build/flow_arm64_bpfel.o'), named('flow_arm'), 'fifteen characters with the section');
  t.strictSame(found('x.y.o'), named('x'), 'up to the first dot');
});
