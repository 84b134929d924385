/** What BPF_MAP_CREATE takes, type by type, as a kernel answered. To record again: tsx test/load/record-maps.ts */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadRaw } from '../../src/compiler/load/raw.js';
import { loadProfile } from '../../src/service/targets.js';
import { MAP_CASES, type MapCase } from './map-cases.js';

const file = join(import.meta.dirname, 'map-verdicts.json');
const { verdicts } = JSON.parse(readFileSync(file, 'utf8')) as { verdicts: string };
const profile = await loadProfile('linux-6.12-arm64');
const NO_BYTES = new Uint8Array(0);
/** r0 = 0; exit */
const INSTRUCTIONS = Uint8Array.from(Buffer.from('b7000000000000009500000000000000', 'hex'));

function isMade(map: MapCase): boolean {
  const name = 'm';
  const types = { mapExtra: 0n, btfKeyTypeId: 0, btfValueTypeId: 0, innerMap: null };
  const loaded = loadRaw(
    {
      name: 'p',
      type: 1,
      expectedAttachType: 0,
      instructions: INSTRUCTIONS,
      maps: [{ ...map, ...types, name }],
      btf: NO_BYTES,
      funcInfo: NO_BYTES,
      lineInfo: NO_BYTES,
      license: 'GPL',
      flags: 0,
      attachTo: '',
      attachBtfId: 0,
    },
    profile,
  );
  return loaded.ok;
}

t.equal(verdicts.length, MAP_CASES.length, 'every case has been recorded');
t.ok(verdicts.includes('1') && verdicts.includes('0'));

const types = [...new Set(MAP_CASES.map(({ type }) => type))];
for (const type of types) {
  t.test(`map type ${type}`, async (t) => {
    for (const [i, map] of MAP_CASES.entries()) {
      if (map.type === type) t.equal(isMade(map), verdicts[i] === '1', JSON.stringify(map));
    }
  });
}
