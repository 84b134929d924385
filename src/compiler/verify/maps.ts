/** The program's maps as the verifier sees them, and which programs may use which of them. */
import { MAPS } from './refusals/maps.js';
import { refuse } from './refusals/refuse.js';
import { linkGraphRoots, parseRecord } from '../btf/parse-record.js';
import type { KptrTargets, StructRecords } from '../btf/parse-record.js';
import * as field from '../btf/record.js';
import { parseStructRecords } from '../btf/struct-records.js';
import type { Btf } from '../btf/btf.js';
import { kptrTargets } from '../load/kptr-targets.js';
import type { MapSpec, Program } from '../load/program.js';
import type { Profile } from '../targets/profile.js';
import * as uapi from '../targets/uapi.js';
import type { Env } from './env.js';
import type { VerifierMap } from './map.js';

const BPF_F_RDONLY_PROG = 1 << 7;

/** Special fields that map values may have (map_check_btf of Linux 6.12). */
const VALUE_FIELDS =
  field.FIELD_SPIN_LOCK |
  field.FIELD_TIMER |
  field.FIELD_KPTR |
  field.FIELD_LIST_HEAD |
  field.FIELD_RB_ROOT |
  field.FIELD_REFCOUNT |
  field.FIELD_WORKQUEUE;

/** Records of the structs of a program's BTF; none where the kernel would not take the BTF. */
export function structRecordsOf(btf: Btf | null, profile: Profile): StructRecords {
  const records = btf === null ? new Map<number, field.BtfRecord>() : parseStructRecords(btf, kptrTargets(profile));
  return typeof records === 'number' ? new Map() : records;
}

/** Records of each BTF that values are typed by, read once. */
class RecordReader {
  private readonly structs = new Map<Btf, StructRecords>();
  private readonly targets: KptrTargets;

  constructor(private readonly profile: Profile) {
    this.targets = kptrTargets(profile);
  }

  of(spec: MapSpec): field.BtfRecord | null {
    const { btf, btfValueTypeId } = spec;
    if (btf === null || btfValueTypeId === 0 || !btf.has(btfValueTypeId)) return null;
    const record = parseRecord(btf, btf.skipModifiers(btfValueTypeId), VALUE_FIELDS, spec.valueSize, this.targets);
    if (record === null || typeof record === 'number') return null;
    if ((record.fieldMask & field.FIELD_GRAPH_ROOT) === 0) return record;
    let structs = this.structs.get(btf);
    if (structs === undefined) {
      structs = structRecordsOf(btf, this.profile);
      this.structs.set(btf, structs);
    }
    return linkGraphRoots(record, structs) < 0 ? null : record;
  }
}

function createMap(spec: MapSpec, index: number, reader: RecordReader): VerifierMap {
  // The kernel keeps a nameless copy of an inner map's template.
  const inner = spec.innerMap === null ? null : createMap({ ...spec.innerMap, name: '' }, -1, reader);
  return { spec, index, inner, record: reader.of(spec) };
}

/** The program's maps, in the order of its table. */
export function createMaps(program: Program, profile: Profile): VerifierMap[] {
  const reader = new RecordReader(profile);
  return program.maps.map((spec, index) => createMap(spec, index, reader));
}

/** Neither programs nor user space can change the contents any more. */
export function isReadOnlyMap(map: VerifierMap): boolean {
  return (map.spec.flags & BPF_F_RDONLY_PROG) !== 0 && map.spec.frozen;
}

const TRACING: ReadonlySet<number> = new Set([
  uapi.BPF_PROG_TYPE_KPROBE,
  uapi.BPF_PROG_TYPE_TRACEPOINT,
  uapi.BPF_PROG_TYPE_PERF_EVENT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
]);

/** Fields whose users may be interrupted by a tracing program. */
const NOT_FOR_TRACING: readonly (readonly [number, string])[] = [
  [field.FIELD_GRAPH_ROOT, 'bpf_{list_head,rb_root}'],
  [field.FIELD_SPIN_LOCK, 'bpf_spin_lock'],
  [field.FIELD_TIMER, 'bpf_timer'],
  [field.FIELD_WORKQUEUE, 'bpf_wq'],
];

/** Whether a program of this type may use the map (check_map_prog_compatibility of Linux 6.12). */
export function checkMapCompatibility(env: Env, map: VerifierMap): number {
  const mask = map.record?.fieldMask ?? 0;
  for (const [fields, name] of NOT_FOR_TRACING) {
    if ((mask & fields) === 0) continue;
    if (fields === field.FIELD_SPIN_LOCK && env.progType === uapi.BPF_PROG_TYPE_SOCKET_FILTER) {
      return refuse(env, MAPS.lockInSocketFilter);
    }
    if (TRACING.has(env.progType)) return refuse(env, MAPS.fieldNotForTracing, name);
  }
  if (map.spec.type === uapi.BPF_MAP_TYPE_STRUCT_OPS) return refuse(env, MAPS.structOpsMap);
  if (env.sleepable && !env.profile.sleepableMaps.has(map.spec.type)) {
    return refuse(env, MAPS.mapNotSleepable);
  }
  return 0;
}
