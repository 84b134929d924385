/**
 * The recorded targets and the lists generated from them against sources that are not: the UAPI header, and tables of
 * Documentation/bpf, where this machine has them (linux-libc-dev; the kernel oracle's Linux 6.12).
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import * as helperIds from '../../src/compiler/targets/helper-ids.js';
import * as mapFlags from '../../src/compiler/targets/map-flags.js';
import * as uapi from '../../src/compiler/targets/uapi.js';
import { loadProfile } from '../../src/service/targets.js';

const LINUX = join(homedir(), '.cache/kernel-oracle/linux');
const HEADERS = ['/usr/include/linux/bpf.h', '/usr/aarch64-linux-gnu/include/linux/bpf.h', join(LINUX, 'include/uapi/linux/bpf.h')];
const PROGRAM_TYPES = join(LINUX, 'Documentation/bpf/libbpf/program_types.rst');

const headers = HEADERS.filter((path) => existsSync(path));
const noHeader = headers.length > 0 ? false : 'no linux/bpf.h on this machine (Debian: linux-libc-dev)';
const noDocuments = existsSync(PROGRAM_TYPES) ? false : 'no Documentation/bpf on this machine (the kernel oracle)';

type Numbers = Readonly<Record<string, number>>;

/** Enumerators of C source: counted from 0, `= NUMBER`, `= (1U << N)` or `= OTHER`. */
function enumerators(source: string, opening: RegExp): Map<string, number> {
  const body = opening.exec(source.replace(/\/\*[^]*?\*\//g, ''))?.[1] ?? '';
  const found = new Map<string, number>();
  let next = 0;
  for (const [, name, value] of body.matchAll(/^\s*(\w+)\s*(?:=\s*([^,\n]+))?,?[ \t]*$/gm)) {
    const shift = /1U?\s*<<\s*(\d+)/.exec(value ?? '')?.[1];
    if (shift !== undefined) next = 2 ** Number(shift);
    else if (value !== undefined) next = found.get(value.trim()) ?? Number(value);
    if (!name!.startsWith('__')) found.set(name!, next);
    next++;
  }
  return found;
}

/** Names that the header numbers otherwise than the list, or that the list lacks. */
function different(header: ReadonlyMap<string, number>, list: Numbers): string[] {
  return [...header].filter(([name, value]) => list[name] !== value).map(([name]) => name);
}

for (const header of headers.length > 0 ? headers : ['linux/bpf.h']) {
  t.test(`${header} numbers as the lists do`, { skip: noHeader }, (t) => {
    const text = readFileSync(header, 'utf8');
    for (const [name, list, least] of [
      ['bpf_prog_type', uapi, 30],
      ['bpf_attach_type', uapi, 40],
      ['bpf_map_type', uapi, 30],
    ] as const) {
      const found = enumerators(text, new RegExp(`enum ${name} \\{([^}]*)\\}`));
      t.ok(found.size >= least, `${found.size} in ${name}`);
      t.strictSame(different(found, list), []);
    }
    const flags = enumerators(text, /enum \{([^}]*BPF_F_NO_PREALLOC[^}]*)\}/);
    t.ok(flags.size >= 12);
    t.strictSame(different(flags, mapFlags), []);

    const numbered = [...text.matchAll(/^\s*FN\((\w+), (\d+), ##ctx\)/gm)].map((m) => [m[1]!, Number(m[2])] as const);
    const ordered = [...text.matchAll(/^\s*FN\((\w+)\),/gm)].map((m, i) => [m[1]!, i] as const);
    const helpers = new Map(numbered.length > 0 ? numbered : ordered);
    t.ok(helpers.size > 200, `${helpers.size} helpers`);
    const upper = new Map([...helpers].map(([name, id]) => [name.toUpperCase(), id]));
    t.strictSame(different(upper, helperIds), []);
    const profile = loadProfile();
    t.strictSame([...helpers].filter(([name, id]) => profile.helperName(id) !== name), []);
    t.end();
  });
}

t.test('the comparison with a header notices differences', (t) => {
  const list = { A: 0, B: 1, C: 4, D: 1 };
  const found = enumerators('enum e {\n\tA,\n\tB,\n\tC = (1U << 2),\n\tD = B,\n};', /enum e \{([^}]*)\}/);
  t.strictSame(different(found, list), []);
  t.strictSame(different(found, { ...list, B: 2 }), ['B']);
  t.strictSame(different(new Map([...found, ['E', 9]]), list), ['E']);
  t.end();
});

interface Row {
  readonly type: string;
  readonly attachType: string;
  readonly sleepable: boolean;
}

/** The rows of program_types.rst; a cell left empty where a line between rows stops goes on from above. */
function programTypes(): Row[] {
  const rows: Row[] = [];
  const now = ['', ''];
  let open = [true, true];
  for (const line of readFileSync(PROGRAM_TYPES, 'utf8').split('\n')) {
    if (line.startsWith('+')) {
      open = [/^\+[-=]/.test(line), line.slice(1 + line.slice(1).search(/[+|]/)).startsWith('+-') || /^\+[-=]/.test(line)];
    }
    const cells = /^\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|/.exec(line)?.slice(1).map((cell) => cell.replace(/`|\[.*/g, '').trim());
    if (cells === undefined || !/`/.test(line)) continue;
    for (const i of [0, 1]) if (cells[i] !== '' || open[i]) now[i] = cells[i]!;
    if (cells[0] !== '' && cells[1] === '') now[1] = '';
    rows.push({ type: now[0]!, attachType: now[1]!, sleepable: cells[3] === 'Yes' });
  }
  return rows;
}

t.test('programs are taken as program_types.rst says', { skip: noDocuments }, (t) => {
  const profile = loadProfile();
  const numbers: Numbers = uapi;
  const rows = programTypes();
  t.ok(rows.length > 90, `${rows.length} rows`);
  t.ok(rows.filter(({ sleepable }) => sleepable).length >= 8, 'some of them sleepable');
  const attachTypes = Object.entries(numbers).flatMap(([name, n]) => (/_(TYPE|UNSPEC)_/.test(name) ? [] : [n]));
  const refused = rows.filter(({ type, attachType, sleepable }) => {
    const program = numbers[type]!;
    const named = attachType === '' ? attachTypes : [numbers[attachType]!]; // where it names none, there is one
    return !named.some((n) => profile.takesAttachType(program, n) && (!sleepable || profile.maySleep(program, n)));
  });
  // Debian's cloud kernel is built without infrared receivers.
  t.strictSame(refused.filter(({ type }) => type !== 'BPF_PROG_TYPE_LIRC_MODE2'), []);
  t.end();
});

t.test('attach types that program_types.rst gives to other programs are refused', { skip: noDocuments }, (t) => {
  const profile = loadProfile();
  t.notOk(profile.takesAttachType(uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_CGROUP_INET4_BIND));
  t.notOk(profile.takesAttachType(uapi.BPF_PROG_TYPE_SK_LOOKUP, uapi.BPF_XDP));
  t.notOk(profile.maySleep(uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP));
  t.notOk(profile.maySleep(uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_CGROUP));
  t.end();
});

t.test('maps and helpers go together as Documentation/bpf says', (t) => {
  const takes = (helper: number, type: number) => loadProfile().helperTakesMap(helper, type);
  // map_queue_stack.rst: no keys, and push, peek and pop.
  for (const type of [uapi.BPF_MAP_TYPE_QUEUE, uapi.BPF_MAP_TYPE_STACK]) {
    for (const id of [helperIds.MAP_PUSH_ELEM, helperIds.MAP_PEEK_ELEM, helperIds.MAP_POP_ELEM]) t.ok(takes(id, type));
    t.notOk(takes(helperIds.MAP_LOOKUP_ELEM, type));
  }
  // map_bloom_filter.rst: push and peek, no removal.
  t.ok(takes(helperIds.MAP_PUSH_ELEM, uapi.BPF_MAP_TYPE_BLOOM_FILTER));
  t.notOk(takes(helperIds.MAP_POP_ELEM, uapi.BPF_MAP_TYPE_BLOOM_FILTER));
  // map_cpumap.rst, map_devmap.rst, map_xskmap.rst: bpf_redirect_map; lookups in the last two.
  for (const type of [uapi.BPF_MAP_TYPE_CPUMAP, uapi.BPF_MAP_TYPE_DEVMAP, uapi.BPF_MAP_TYPE_XSKMAP]) {
    t.ok(takes(helperIds.REDIRECT_MAP, type));
    t.equal(takes(helperIds.MAP_LOOKUP_ELEM, type), type !== uapi.BPF_MAP_TYPE_CPUMAP);
  }
  t.notOk(takes(helperIds.REDIRECT_MAP, uapi.BPF_MAP_TYPE_HASH));
  // map_sk_storage.rst, map_cgrp_storage.rst: helpers of their own.
  t.ok(takes(helperIds.SK_STORAGE_GET, uapi.BPF_MAP_TYPE_SK_STORAGE));
  t.ok(takes(helperIds.CGRP_STORAGE_GET, uapi.BPF_MAP_TYPE_CGRP_STORAGE));
  t.notOk(takes(helperIds.SK_STORAGE_GET, uapi.BPF_MAP_TYPE_CGRP_STORAGE));
  t.notOk(takes(helperIds.MAP_UPDATE_ELEM, uapi.BPF_MAP_TYPE_SK_STORAGE));
  // map_sockmap.rst: from programs that no locked socket runs.
  const updates = (type: number, attachType: number) => loadProfile().updatesSocketMaps(type, attachType, helperIds.MAP_UPDATE_ELEM);
  t.ok(updates(uapi.BPF_PROG_TYPE_SCHED_CLS, 0));
  t.ok(updates(uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_ITER));
  t.notOk(updates(uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY));
  t.notOk(updates(uapi.BPF_PROG_TYPE_KPROBE, 0));
  t.end();
});

t.test('helpers are allowed at attach points as the helpers\' manual page says', (t) => {
  const profile = loadProfile();
  const find = (name: string) => profile.btf.withName(name).values().next().value as number;
  const allowed = (id: number, type: number, attachType: number, name: string, sleepable = false) =>
    profile.helper(type, attachType, find(name), id, sleepable)?.isAllowedAt(type, attachType, find(name), false);
  const { BPF_PROG_TYPE_TRACING: TRACING, BPF_PROG_TYPE_LSM: LSM, BPF_TRACE_FENTRY: FENTRY } = uapi;
  t.equal(allowed(helperIds.D_PATH, TRACING, FENTRY, 'vfs_fallocate'), true);
  t.equal(allowed(helperIds.D_PATH, TRACING, FENTRY, 'vfs_read'), false);
  t.equal(allowed(helperIds.D_PATH, TRACING, uapi.BPF_TRACE_ITER, 'bpf_iter_task_file'), true);
  t.equal(allowed(helperIds.SK_STORAGE_GET, TRACING, FENTRY, 'tcp_connect'), true);
  t.equal(allowed(helperIds.SK_STORAGE_GET, TRACING, FENTRY, 'bpf_sk_storage_free'), false);
  t.equal(allowed(helperIds.SK_STORAGE_GET, TRACING, uapi.BPF_MODIFY_RETURN, 'tcp_connect'), false);
  t.equal(allowed(helperIds.IMA_INODE_HASH, LSM, uapi.BPF_LSM_MAC, 'bpf_lsm_bprm_committed_creds', true), true);
  t.equal(allowed(helperIds.IMA_INODE_HASH, LSM, uapi.BPF_LSM_MAC, 'bpf_lsm_task_free', true), false);
  t.equal(profile.helper(TRACING, FENTRY, find('tcp_connect'), helperIds.SK_STORAGE_GET, false)?.isAllowedAt(TRACING, FENTRY, 1, true), false);
  t.end();
});
