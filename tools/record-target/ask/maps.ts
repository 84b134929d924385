import { THEN_CLOSE, THEN_KEEP, type Agent } from '../machine/agent.js';
import { attribute } from './words.js';
import { INT } from './btf.js';
import type { Enumerators } from './helpers.js';

const BPF_MAP_CREATE = 0;
/** Bytes of union bpf_attr that BPF_MAP_CREATE is told of: up to btf_value_type_id, which kernels since 5.0 know. */
const ATTR_BYTES = 60;

/** A map in the machine, of some attributes that its type takes. */
export interface LiveMap {
  readonly type: number;
  readonly descriptor: number;
}

interface Attributes {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly innerMap: number;
  readonly btf: number;
}

/** Attributes that some map type takes; each type is tried with all combinations until the kernel makes the map. */
const KEY_SIZES = [4, 0, 8, 16];
const VALUE_SIZES = [4, 0, 8];
const MAX_ENTRIES = [1, 0, 4096];
const FLAGS = [0, 1, 1 << 10]; // none, BPF_F_NO_PREALLOC, BPF_F_MMAPABLE

/** A map of every type of which the kernel makes one for these attributes; `btf` as loadQuestionBtf gives it. */
export async function makeMaps(agent: Agent, types: Enumerators, btf: number): Promise<LiveMap[]> {
  const array = types.get('BPF_MAP_TYPE_ARRAY')!;
  const inner = { type: array, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0, innerMap: -1, btf: -1 };
  const innerMap = await create(agent, inner, THEN_KEEP);
  const maps: LiveMap[] = [];
  for (const type of new Set([...types].filter(([name]) => !name.startsWith('__')).map(([, value]) => value))) {
    const attributes = combinations(type, innerMap, btf);
    const answers = await Promise.all(attributes.map((a) => create(agent, a, THEN_CLOSE)));
    const taken = attributes[answers.findIndex((result) => result >= 0)];
    if (taken !== undefined) maps.push({ type, descriptor: await create(agent, taken, THEN_KEEP) });
  }
  return maps;
}

function combinations(type: number, innerMap: number, btf: number): Attributes[] {
  const all: Attributes[] = [];
  for (const typed of [-1, btf])
    for (const flags of FLAGS)
      for (const maxEntries of MAX_ENTRIES)
        for (const valueSize of VALUE_SIZES)
          for (const keySize of KEY_SIZES)
            for (const map of [-1, innerMap])
              all.push({ type, keySize, valueSize, maxEntries, flags, innerMap: map, btf: typed });
  return all;
}

/** Makes an ordinary map and answers its descriptor in the machine; throws where the kernel does not take it. */
export async function createMap(
  agent: Agent,
  attributes: Pick<Attributes, 'type' | 'keySize' | 'valueSize' | 'maxEntries'>,
): Promise<number> {
  const descriptor = await create(agent, { ...attributes, flags: 0, innerMap: -1, btf: -1 }, THEN_KEEP);
  if (descriptor < 0) throw new Error(`the kernel makes no map of type ${attributes.type}: errno ${-descriptor}`);
  return descriptor;
}

async function create(agent: Agent, attributes: Attributes, then: number): Promise<number> {
  const { type, keySize, valueSize, maxEntries, flags, innerMap, btf } = attributes;
  const fields = [type, keySize, valueSize, maxEntries, flags].map((value, i) => [4 * i, value] as const);
  const inner = innerMap < 0 ? [] : [[20, innerMap] as const];
  const typed = btf < 0 ? [] : ([[48, btf], [52, INT], [56, INT]] as const); // prettier-ignore
  const attr = attribute(agent.order, ATTR_BYTES, [...fields, ...inner, ...typed]);
  return (await agent.bpf(BPF_MAP_CREATE, attr, [], then)).result;
}
