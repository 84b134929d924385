import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { Btf } from '../../../src/compiler/btf/btf.js';
import * as cap from '../../../src/compiler/targets/capabilities.js';
import type { Agent } from '../machine/agent.js';
import { assemble, call, load, RETURN_ZERO } from './load.js';

/** A kind of program that the live kernel takes. */
export interface LiveKind {
  readonly type: number;
  readonly attachType: number;
  readonly attachBtfId: number;
  readonly sleepable: boolean;
}

/** Enumerators by name. */
export type Enumerators = ReadonlyMap<string, number>;

/** How the kernels' refusals of a helper read: until 6.11, and since. */
const REFUSED = /^(unknown func|program of this type cannot use helper) /m;

/** Functions that programs of the BTF-typed kinds are attached to for a question, where the kernel has them. */
const ATTACH_POINTS: readonly { type: string; attachType: string; names: readonly string[]; sleepable: boolean }[] = [
  {
    type: 'TRACING',
    attachType: 'TRACE_RAW_TP',
    names: ['btf_trace_sched_switch', 'btf_trace_sys_enter'],
    sleepable: false,
  },
  {
    type: 'TRACING',
    attachType: 'TRACE_FENTRY',
    names: ['bpf_fentry_test1', 'vfs_open', 'dentry_open'],
    sleepable: false,
  },
  { type: 'TRACING', attachType: 'TRACE_FEXIT', names: ['bpf_fentry_test1', 'vfs_open'], sleepable: false },
  {
    type: 'TRACING',
    attachType: 'TRACE_ITER',
    names: ['bpf_iter_task', 'bpf_iter_tcp', 'bpf_iter_bpf_map'],
    sleepable: true,
  },
  {
    type: 'LSM',
    attachType: 'LSM_MAC',
    names: ['bpf_lsm_file_open', 'bpf_lsm_bprm_check_security', 'bpf_lsm_socket_post_create', 'bpf_lsm_task_alloc'],
    sleepable: true,
  },
  {
    type: 'LSM',
    attachType: 'LSM_CGROUP',
    names: ['bpf_lsm_socket_post_create', 'bpf_lsm_socket_bind'],
    sleepable: false,
  },
];

/** Where the kernel puts another attach type in the place of number 0 before it looks further. */
const DEFAULTED: ReadonlySet<string> = new Set(['BPF_PROG_TYPE_CGROUP_SOCK', 'BPF_PROG_TYPE_SK_REUSEPORT']);

/** Kinds of programs to put questions with: every program type with every attach type that the kernel takes. */
export async function liveKinds(
  agent: Agent,
  btf: Btf,
  types: Enumerators,
  attaches: Enumerators,
): Promise<LiveKind[]> {
  const wanted: LiveKind[] = [];
  const btfTyped = new Set(['TRACING', 'LSM', 'STRUCT_OPS', 'EXT', 'UNSPEC'].map((name) => `BPF_PROG_TYPE_${name}`));
  for (const [name, type] of types) {
    if (name.startsWith('__') || btfTyped.has(name)) continue;
    for (const [attachName, attachType] of attaches) {
      if (attachName.startsWith('__') || (attachType === 0 && DEFAULTED.has(name))) continue;
      wanted.push({ type, attachType, attachBtfId: 0, sleepable: false });
    }
  }
  for (const { type, attachType, names, sleepable } of ATTACH_POINTS) {
    for (const name of names) {
      const attachBtfId = btf.find(name, name.startsWith('btf_trace_') ? kinds.KIND_TYPEDEF : kinds.KIND_FUNC);
      const kind = {
        type: types.get(`BPF_PROG_TYPE_${type}`)!,
        attachType: attaches.get(`BPF_${attachType}`)!,
        attachBtfId,
      };
      if (attachBtfId === 0) continue;
      wanted.push({ ...kind, sleepable: false });
      if (sleepable) wanted.push({ ...kind, sleepable: true });
    }
  }
  const asked = await Promise.all(wanted.map((kind) => isTaken(agent, kind)));
  // Some types run asleep only.
  const asleep = await Promise.all(wanted.map((kind, i) => !asked[i]! && isTaken(agent, { ...kind, sleepable: true })));
  const taken = wanted.flatMap((kind, i) => (asked[i]! ? [kind] : asleep[i]! ? [{ ...kind, sleepable: true }] : []));
  return taken.filter((kind) => !isOneOfMany(kind, taken));
}

/** Whether a program of that kind loads, or is refused for nothing but the number that it returns. */
export async function isTaken(agent: Agent, kind: LiveKind): Promise<boolean> {
  const { errno, log } = await load(agent, { ...kind, instructions: assemble(RETURN_ZERO) });
  return errno === 0 || /At program exit the register R0/.test(log);
}

/** Where a program type takes nearly any attach type, it ignores them: two stand for all. */
function isOneOfMany(kind: LiveKind, taken: readonly LiveKind[]): boolean {
  const same = taken.filter(({ type }) => type === kind.type).map(({ attachType }) => attachType);
  return same.length > 40 && kind.attachType !== 0 && kind.attachType !== Math.max(...same);
}

/** What a process of some capabilities may load, and call. */
export interface LesserAnswers {
  readonly capabilities: number;
  readonly live: readonly LiveKind[];
  readonly mayCall: readonly (readonly boolean[])[];
}

/** Sets that the kernel tells apart, as far as helpers go. */
const LESSER: readonly number[] = [
  0,
  cap.CAP_PERFMON,
  cap.CAP_BPF,
  cap.CAP_BPF | cap.CAP_NET_ADMIN,
  cap.CAP_BPF | cap.CAP_PERFMON | cap.CAP_NET_ADMIN,
];

/** The same questions as processes with fewer capabilities: for one kind of each program type that they may load. */
export async function askAsLesser(agent: Agent, kinds: readonly LiveKind[], count: number): Promise<LesserAnswers[]> {
  const first = kinds.filter((kind, i) => kinds.findIndex(({ type }) => type === kind.type) === i);
  const all: LesserAnswers[] = [];
  for (const capabilities of LESSER) {
    await agent.setCapabilities(capabilities);
    const taken = await Promise.all(first.map((kind) => isTaken(agent, kind)));
    const live = first.filter((_, i) => taken[i]!);
    all.push({ capabilities, live, mayCall: await askHelpers(agent, live, count) });
  }
  await agent.setCapabilities(cap.ALL_CAPABILITIES);
  return all;
}

/**
 * Which helpers each kind may call: a call without arguments, for each. By the way it makes the kernel allocate what
 * some prototypes need first.
 */
export async function askHelpers(agent: Agent, kinds: readonly LiveKind[], count: number): Promise<boolean[][]> {
  const all: boolean[][] = [];
  for (const kind of kinds) {
    const ids = Array.from({ length: count }, (_, id) => id);
    const answers = await Promise.all(
      ids.map((id) => load(agent, { ...kind, instructions: assemble([call(id), ...RETURN_ZERO]) })),
    );
    all.push(
      answers.map(({ errno, log }) => errno === 0 || (log !== '' && !REFUSED.test(log) && !/^invalid func/m.test(log))),
    );
  }
  return all;
}
