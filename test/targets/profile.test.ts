import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KIND_FUNC } from '../../src/compiler/btf/kinds.js';
import { decodeProfile } from '../../src/compiler/targets/decode.js';
import * as flags from '../../src/compiler/targets/profile.js';
import * as types from '../../src/compiler/targets/types.js';
import * as uapi from '../../src/compiler/targets/uapi.js';
import { loadProfile, readTarget, targetNames, TARGETS_DIR } from '../../src/service/targets.js';

const MEBIBYTE = 1 << 20;
/** Processor time, which a loaded machine does not change; the best of three, since the first also compiles the code. */
const LOAD_LIMIT_MS = 150;

for (const name of targetNames()) {
  t.test(`${name}: files`, (t) => {
    const folder = join(TARGETS_DIR, name);
    const size = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    t.ok(size <= 4 * MEBIBYTE, `${size} bytes`);

    const { files } = readTarget(name);
    const times = Array.from({ length: 3 }, () => {
      const start = process.cpuUsage();
      decodeProfile(readTarget(name).files);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    });
    t.ok(Math.min(...times) <= LOAD_LIMIT_MS, `read and decoded in ${Math.min(...times).toFixed(0)} ms`);

    const hash = createHash('sha256');
    for (const file of [...files.keys()].filter((f) => f !== 'manifest.json').sort()) {
      const bytes = files.get(file)!;
      t.ok(bytes.buffer instanceof SharedArrayBuffer, `${file} is shared`);
      hash.update(`${file}\0${bytes.length}\0`).update(bytes);
    }
    const profile = loadProfile(name);
    t.equal(profile.digest, hash.digest('hex'), 'the digest is that of the files');
    t.equal(profile.name, name);
    t.not(profile.verified, '');
    t.end();
  });

  t.test(`${name}: symbols`, (t) => {
    const { symbols } = loadProfile(name);
    t.ok(symbols.size > 50_000);
    t.not(symbols.address('__bpf_call_base'), null);
    t.equal(symbols.address('no_such_symbol'), null);
    t.equal(symbols.address(''), null);
    const start = symbols.address('_stext')!;
    const end = symbols.address('btf_vmlinux')!;
    t.ok(start[0] < end[0] || (start[0] === end[0] && start[1] < end[1]), 'addresses are in order');
    t.end();
  });

  t.test(`${name}: what Documentation/bpf says`, (t) => {
    const profile = loadProfile(name);
    const find = (fn: string): number => profile.btf.find(fn, KIND_FUNC);
    // kfuncs.rst: bpf_task_acquire takes a reference, bpf_task_release gives it back.
    const acquire = profile.kernelFunctionFlags(uapi.BPF_PROG_TYPE_TRACING, find('bpf_task_acquire'));
    if (find('bpf_task_acquire') !== 0) {
      t.ok(acquire & flags.KF_ACQUIRE);
      t.ok(profile.kernelFunctionFlags(uapi.BPF_PROG_TYPE_TRACING, find('bpf_task_release')) & flags.KF_RELEASE);
      t.equal(profile.kernelFunctionFlags(uapi.BPF_PROG_TYPE_SOCKET_FILTER, find('bpf_task_acquire')), -1);
    }
    // helpers' manual page: bpf_map_lookup_elem(map, key) returns a value or NULL, for whatever program.
    const lookup = profile.helper(uapi.BPF_PROG_TYPE_XDP, 0, 0, 1, false)!;
    t.equal(lookup.retType, types.RET_PTR_TO_MAP_VALUE | types.PTR_MAYBE_NULL);
    t.strictSame(lookup.argTypes.slice(0, 2), [types.ARG_CONST_MAP_PTR, types.ARG_PTR_TO_MAP_KEY]);
    // "bpf_get_current_pid_tgid" speaks of the current task, which a packet does not have (until 6.4 at least).
    t.equal(profile.helper(uapi.BPF_PROG_TYPE_XDP, 0, 0, 9999, false), null);
    // bpf_skb_store_bytes is for skbs, bpf_xdp_adjust_head for XDP.
    t.equal(profile.helper(uapi.BPF_PROG_TYPE_XDP, 0, 0, 9, false), null);
    t.equal(profile.helper(uapi.BPF_PROG_TYPE_SCHED_CLS, 0, 0, 44, false), null);
    t.equal(profile.helper(uapi.BPF_PROG_TYPE_XDP, 0, 0, 44, false)?.name, 'xdp_adjust_head');
    // bpf_copy_from_user is for tracing programs that may sleep.
    const copy = profile.helper(uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY, 0, 148, true);
    t.equal(copy?.symbol, 'bpf_copy_from_user');
    t.equal(profile.helper(uapi.BPF_PROG_TYPE_SCHED_CLS, 0, 0, 148, false), null);
    // map types: an array is looked up inline, a hash of maps too.
    t.equal(profile.mapOps(2)?.lookupElem, 'array_map_lookup_elem');
    t.equal(profile.mapOps(0), null);
    t.end();
  });
}

t.test('a packet is read through pointers', (t) => {
  const layout = loadProfile().context(uapi.BPF_PROG_TYPE_XDP, 0)!;
  t.match(layout.access(0, 4, false), { regType: types.PTR_TO_PACKET });
  t.match(layout.access(4, 4, false), { regType: types.PTR_TO_PACKET_END });
  t.equal(layout.access(0, 8, false), null);
  t.equal(layout.access(0, 4, true), null);
  t.equal(layout.access(1, 4, false), null);
  // xdp_md.data of r1 into r2 becomes xdp_buff.data, a pointer, at the same place.
  t.equal(Buffer.from(layout.convert(0x61, 2, 1, 0, 0, 0)!).toString('hex'), '7912000000000000');
  t.end();
});
