/**
 * Raw programs through verification, rewriting, code generation and linking. Three bytes choose type, attach type and log
 * level; the rest are instructions, with three maps for them to use.
 */
import { compile } from '../../../../src/compiler/compile.js';
import { toCompiler } from '../../../../src/service/contract/to-compiler.js';
import { loadProfile } from '../../../../src/service/targets.js';
import { bounded } from '../cost.js';

const profile = loadProfile();
const TYPES = 33;
const MAPS = [
  { name: 'array', type: 2, keySize: 4, valueSize: 48, maxEntries: 4 },
  { name: 'hash', type: 1, keySize: 8, valueSize: 24, maxEntries: 8 },
  { name: 'ringbuf', type: 27, maxEntries: 4096 },
];

const NOWHERE = { functions: [], maps: new Map(), symbols: new Map(), programAux: 0n };

export function fuzz(data: Buffer): void {
  const [type = 0, attach = 0, level = 0] = data;
  const length = (data.length - 3) & ~7;
  if (length <= 0) return;
  const program = {
    name: 'fuzzed',
    type: type % TYPES,
    expectedAttachType: attach % 64,
    license: 'GPL',
    maps: MAPS,
    instructions: Uint8Array.from(data.subarray(3, 3 + length)),
  };
  bounded(() => {
    const request = toCompiler({ program, options: { logLevel: level & 7, format: (level >> 3) % 3 } });
    const { programs } = compile({ ...request, link: (level & 0x80) === 0 ? null : NOWHERE }, profile);
    return programs.reduce((sum, { stats }) => sum + (stats?.processedInstructions ?? 0), 0);
  });
}
