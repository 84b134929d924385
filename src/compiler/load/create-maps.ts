/** Turns an object's maps into what BPF_MAP_CREATE is told, as libbpf 1.5 tells it (bpf_object__create_maps). */
import type { Btf } from '../btf/btf.js';
import type { KptrTargets, StructRecords } from '../btf/parse-record.js';
import { ok, type Outcome } from '../outcome.js';
import * as uapi from '../targets/uapi.js';
import { errorText } from './error-text.js';
import { EINVAL, refuse } from './failure.js';
import type { LoaderProfile } from './loader-profile.js';
import { checkMapAttributes, created } from './map-create.js';
import { isMapInMap } from './map-definition.js';
import { BPF_F_INNER_MAP } from '../targets/map-flags.js';
import { checkMapTypes } from './map-types-check.js';
import type { MapDefinition, ObjectMap } from './model.js';
import { isObjectName } from './program-attributes.js';
import type { MapSpec } from './program.js';

/** Longest name of a map that the kernel keeps. */
const NAME_LENGTH = 15;

/** Map types that libbpf creates without telling their types. */
const UNTYPED: readonly number[] = [
  uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  uapi.BPF_MAP_TYPE_CGROUP_ARRAY,
  uapi.BPF_MAP_TYPE_STACK_TRACE,
  uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS,
  uapi.BPF_MAP_TYPE_HASH_OF_MAPS,
  uapi.BPF_MAP_TYPE_DEVMAP,
  uapi.BPF_MAP_TYPE_DEVMAP_HASH,
  uapi.BPF_MAP_TYPE_CPUMAP,
  uapi.BPF_MAP_TYPE_XSKMAP,
  uapi.BPF_MAP_TYPE_SOCKMAP,
  uapi.BPF_MAP_TYPE_SOCKHASH,
  uapi.BPF_MAP_TYPE_QUEUE,
  uapi.BPF_MAP_TYPE_STACK,
  uapi.BPF_MAP_TYPE_ARENA,
];

/** Map types whose maps have no size. */
const UNSIZED: readonly number[] = [
  uapi.BPF_MAP_TYPE_SK_STORAGE,
  uapi.BPF_MAP_TYPE_TASK_STORAGE,
  uapi.BPF_MAP_TYPE_INODE_STORAGE,
  uapi.BPF_MAP_TYPE_CGRP_STORAGE,
  uapi.BPF_MAP_TYPE_CGROUP_STORAGE,
  uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
];

export interface MapCreation {
  /** The program's BTF, null where the kernel refused it. */
  readonly btf: Btf | null;
  readonly structs: StructRecords;
  readonly kptrs: KptrTargets;
  readonly profile: LoaderProfile;
  /** Of the process that makes them. */
  readonly capabilities: number;
}

/** What the kernel is told of every map, in the object's order; fails for the first that it would refuse. */
export function createMaps(maps: readonly ObjectMap[], creation: MapCreation): Outcome<MapSpec[]> {
  const specs: MapSpec[] = [];
  const byName = new Map<string, MapSpec>();
  for (const map of maps) {
    const spec = createMap(map, creation);
    if (typeof spec === 'number') {
      const message = `map '${map.name}': failed to create: ${errorText(spec)}(${spec})`;
      return refuse('MAP_CREATE', message, spec, { section: map.section, symbol: map.name });
    }
    const broken = brokenSlot(map, spec, byName);
    if (broken >= 0) {
      const target = map.slots.get(broken) ?? '';
      const message = `map '${map.name}': failed to initialize slot [${broken}] to map '${target}': ${EINVAL}`;
      return refuse('MAP_CREATE', message, EINVAL, { section: map.section, symbol: map.name });
    }
    specs.push(spec);
    if (!byName.has(map.name)) byName.set(map.name, spec);
  }
  return ok(specs);
}

/** The first initial value of a map of maps that is not made yet, or is no map like its template; -1 where all are good. */
function brokenSlot(map: ObjectMap, spec: MapSpec, made: ReadonlyMap<string, MapSpec>): number {
  if (!isMapInMap(spec.type) || !map.autocreate) return -1;
  for (const [slot, name] of [...map.slots].sort(([a], [b]) => a - b)) {
    const target = made.get(name);
    const isSet = slot < spec.maxEntries && target !== undefined && spec.innerMap !== null;
    if (!isSet || !isLike(spec.innerMap, target)) return slot;
  }
  return -1;
}

/** Whether a map may stand where its template does (map_meta_equal, kernel/bpf, 6.12). */
function isLike(template: MapSpec, map: MapSpec): boolean {
  const isSameKind = template.type === map.type && template.flags === map.flags;
  const isSameSize = template.keySize === map.keySize && template.valueSize === map.valueSize;
  const countMatters = map.type === uapi.BPF_MAP_TYPE_ARRAY && (template.flags & BPF_F_INNER_MAP) === 0;
  return isSameKind && isSameSize && (!countMatters || template.maxEntries === map.maxEntries);
}

function createMap(map: ObjectMap, creation: MapCreation): MapSpec | number {
  const inner = map.inner === null ? null : createInner(map, map.inner, creation);
  if (typeof inner === 'number') return inner;
  const isReadOnly = map.origin === 'rodata' || map.origin === 'kconfig';
  const spec = describe(map.name, map.definition, creation, {
    maxEntries: mapSize(map.definition, creation.profile),
    btfVmlinuxValueTypeId: map.structOps?.kernelValueType ?? 0,
    innerMap: isMapInMap(map.definition.type) ? inner : null,
    contents: map.contents,
    frozen: isReadOnly,
    section: map.section,
  });
  return map.autocreate ? create(spec, creation) : spec;
}

function createInner(map: ObjectMap, definition: MapDefinition, creation: MapCreation): MapSpec | number {
  const maxEntries = definition.maxEntries || defaultSize(definition, creation.profile);
  const spec = describe(`${map.name}.inner`, definition, creation, { maxEntries, section: map.section });
  return create(spec, creation);
}

function describe(
  name: string,
  definition: MapDefinition,
  { btf }: MapCreation,
  rest: Partial<MapSpec> & Pick<MapSpec, 'maxEntries' | 'section'>,
): MapSpec {
  const isTyped = btf !== null && !UNTYPED.includes(definition.type);
  const isStructOps = definition.type === uapi.BPF_MAP_TYPE_STRUCT_OPS;
  return {
    name: name.slice(0, NAME_LENGTH),
    fullName: name,
    type: definition.type,
    keySize: definition.keySize,
    valueSize: definition.valueSize,
    flags: definition.flags,
    mapExtra: definition.mapExtra,
    btf: isTyped ? btf : null,
    btfKeyTypeId: isTyped ? definition.keyTypeId : 0,
    btfValueTypeId: isTyped && !isStructOps ? definition.valueTypeId : 0,
    btfVmlinuxValueTypeId: 0,
    innerMap: null,
    numaNode: definition.numaNode,
    pinning: definition.pinning,
    contents: null,
    frozen: false,
    ...rest,
  };
}

/** One perf event array element a CPU, as libbpf does it; otherwise nothing is made up. */
function defaultSize({ type }: MapDefinition, profile: LoaderProfile): number {
  return type === uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY ? profile.possibleCpus : 0;
}

/**
 * Entries of a map. Where an object leaves them to the program that loads it (0), the smallest size that the kernel takes
 * stands for what that program would set.
 */
function mapSize(definition: MapDefinition, profile: LoaderProfile): number {
  const { type, maxEntries } = definition;
  if (maxEntries !== 0 || UNSIZED.includes(type)) return maxEntries;
  if (type === uapi.BPF_MAP_TYPE_RINGBUF || type === uapi.BPF_MAP_TYPE_USER_RINGBUF) return profile.pageSize;
  return defaultSize(definition, profile) || 1;
}

/** Asks for the map with its types, and, as libbpf does when that is refused, without them. */
function create(spec: MapSpec, { structs, kptrs, profile, capabilities }: MapCreation): MapSpec | number {
  const attempt = (map: MapSpec): number =>
    checkMapAttributes(map, profile, capabilities) ||
    (isObjectName(map.name) ? checkMapTypes(map, structs, kptrs) : EINVAL);
  const refused = attempt(spec);
  if (refused === 0) return created(spec);
  if (spec.btfKeyTypeId === 0 && spec.btfValueTypeId === 0) return refused;
  const untyped: MapSpec = { ...spec, btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 };
  return attempt(untyped) || created(untyped);
}
