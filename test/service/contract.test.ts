/** JSON and protobuf say the same: every field, both directions, and as an independent implementation writes it. */
import fc from 'fast-check';
import Long from 'long';
import protobuf from 'protobufjs';
import protojson from 'protobufjs/ext/protojson.js';
import t from 'tap';
import { readJson } from '../../src/service/contract/json-read.js';
import { writeJson } from '../../src/service/contract/json-write.js';
import { schema, type Message } from '../../src/service/contract/schema.js';

/** Messages with any subset of their members, as protobufjs takes them. */
function arbitrary(type: protobuf.Type, depth: number): fc.Arbitrary<Message> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  const oneofs = new Set<string>();
  for (const field of type.fieldsArray) {
    field.resolve();
    if (depth === 0 && field.resolvedType instanceof protobuf.Type) continue;
    if (field.partOf && !field.options?.['proto3_optional']) {
      if (oneofs.has(field.partOf.name)) continue; // one member of each
      oneofs.add(field.partOf.name);
    }
    const one = single(field, depth);
    members[field.name] =
      field instanceof protobuf.MapField
        ? fc.dictionary(fc.string({ unit: 'grapheme' }), one, { maxKeys: 3, noNullPrototype: true })
        : field.repeated
          ? fc.array(one, { maxLength: 3 })
          : one;
  }
  return fc.record(members, { requiredKeys: [] });
}

function single(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (field.resolvedType instanceof protobuf.Type) return arbitrary(field.resolvedType, depth - 1);
  if (field.resolvedType instanceof protobuf.Enum) {
    return fc.oneof(fc.constantFrom(...Object.values(field.resolvedType.values)), fc.integer({ min: 500, max: 600 }));
  }
  switch (field.type) {
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    case 'string':
      return fc.string({ unit: 'grapheme' });
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff });
    default: {
      const signed = field.type === 'int64';
      const value = signed ? fc.bigInt(-(1n << 63n), (1n << 63n) - 1n) : fc.bigInt(0n, (1n << 64n) - 1n);
      return value.map((number) => Long.fromString(number.toString(), !signed));
    }
  }
}

const NAMES = [
  'CompileRequest',
  'CompileResponse',
  'ListTargetsResponse',
  'UploadBtfResponse',
  'GetCompilationRequest',
];

for (const name of NAMES) {
  t.test(name, (t) => {
    const type = schema.lookupType(`bpfjit.v1.${name}`);
    const check = fc.property(arbitrary(type, 4), (message) => {
      const bytes = type.encode(message).finish();
      const decoded = type.decode(bytes) as unknown as Message;
      const json = JSON.parse(JSON.stringify(writeJson(type, decoded))) as unknown;
      const back = readJson(type, json);
      const again = JSON.parse(JSON.stringify(writeJson(type, type.decode(type.encode(back).finish()) as never)));
      t.strictSame(again, json, 'JSON → protobuf → JSON', { diagnostic: false });
      const independent = protojson.toJson(type, decoded as never) as unknown;
      return JSON.stringify(sorted(withoutForced(json))) === JSON.stringify(sorted(withoutForced(independent)));
    });
    fc.assert(check, { numRuns: 60, seed: 20261123 });
    t.end();
  });
}

/** Without the two members that answers always show. */
function withoutForced(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutForced);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).filter(
    ([key, v]) => !(key === 'accepted' && v === false) && !(key === 'errno' && v === 0),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutForced(value)]));
}

function sorted(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

t.test('every field is read by both of its JSON names', (t) => {
  for (const name of NAMES) {
    const type = schema.lookupType(`bpfjit.v1.${name}`);
    for (const field of type.fieldsArray) {
      if (field.resolve().repeated || field.resolvedType !== null || field.type !== 'string') continue;
      for (const key of [field.name, field.protoName ?? field.name]) {
        t.strictSame(readJson(type, { [key]: 'x' }), { [field.name]: 'x' });
      }
    }
  }
  t.end();
});

t.test('refusals name the place', (t) => {
  const type = schema.lookupType('bpfjit.v1.CompileRequest');
  const cases: readonly [unknown, string][] = [
    [{ progam: {} }, 'progam: unknown field'],
    [{ program: { maps: [{}, { keySize: -1 }] } }, 'program.maps[1].keySize: -1 is out of range for uint32'],
    [{ program: { maps: [{ keySize: 1.5 }] } }, 'program.maps[0].keySize: expected a whole number, not 1.5'],
    [
      { program: { maps: [{ mapExtra: '18446744073709551616' }] } },
      'program.maps[0].mapExtra: 18446744073709551616 is out of range for uint64',
    ],
    [{ program: { maxEntries: 4 } }, 'program.maxEntries: unknown field'],
    [{ program: { type: 'XDP' } }, 'program.type: "XDP" is no ProgramType'],
    [{ object: 'a' }, 'object: is not base64'],
    [{ object: 'YQ=' }, 'object: is not base64'],
    [{ programs: 'x' }, 'programs: expected an array, not "x"'],
    [{ programs: [null] }, 'programs[0]: expected a string, not null'],
    [{ program: { attach_to: 'a', attachTo: 'b' } }, 'program.attachTo: field is given twice, by both of its names'],
    [{ link: { maps: { 'a b': 5 } } }, 'link.maps["a b"]: expected an object, not 5'],
    [{ options: { legacyMaps: 'yes' } }, 'options.legacyMaps: expected true or false, not "yes"'],
    [[], 'expected an object, not an array'],
    [JSON.parse('{"__proto__": 1}'), '__proto__: unknown field'],
  ];
  for (const [json, message] of cases) t.throws(() => readJson(type, json), { message }, message);
  t.end();
});
