/** This machine's kernel as far as objects are loaded for it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import type { Btf } from '../../src/compiler/btf/btf.js';
import { openKernelBtf, readKernelBtf } from '../../src/compiler/kernel-btf.js';
import type { LoaderProfile } from '../../src/compiler/load/loader-profile.js';
import type { Profile, SymbolTable } from '../../src/compiler/targets/profile.js';
import type { Measured } from '../verifier/measured.js';

const BTF = '/sys/kernel/btf/vmlinux';
const CPUS = '/sys/devices/system/cpu/possible';

/**
 * The host's BTF, symbols and configuration. What the loader refuses on the kernel's behalf — attach types, map types,
 * types with destructors — is a recorded kernel's: the host answers for itself when it is asked.
 */
export function readHostProfile(recorded: Profile): Measured<LoaderProfile> {
  if (!existsSync(BTF)) return { ok: false, reason: `the kernel shows no BTF at ${BTF}` };
  const image = readKernelBtf(readFileSync(BTF));
  if (!image.ok) return { ok: false, reason: `${BTF}: ${image.failure.message}` };
  const btf = openKernelBtf(image.value);
  const value: LoaderProfile = {
    btf,
    byteOrder: btf.byteOrder,
    modules: [],
    symbols: new HostSymbols(readFileSync('/proc/kallsyms', 'latin1')),
    config: readConfig(),
    release: release(),
    pageSize: Number(execFileSync('getconf', ['PAGESIZE'])),
    possibleCpus: Number(/\d+$/.exec(readFileSync(CPUS, 'latin1').trim())?.[0] ?? 0) + 1,
    mapOps: (type) => recorded.mapOps(type),
    takesAttachType: (type, attachType) => recorded.takesAttachType(type, attachType),
    btfIdSet: (symbol) => translate(recorded.btfIdSet(symbol), recorded.btf, btf),
  };
  return { ok: true, value };
}

/** The same types in another kernel's BTF, those left out that it does not have. */
function translate(ids: ReadonlySet<number>, from: Btf, to: Btf): ReadonlySet<number> {
  return new Set([...ids].map((id) => to.find(from.typeName(id), from.kind(id))).filter((id) => id !== 0));
}

/** Lines of /proc/kallsyms: address, kind, name, and of modules their name. */
class HostSymbols implements SymbolTable {
  private readonly addresses = new Map<string, string[]>();

  constructor(lines: string) {
    for (const line of lines.split('\n')) {
      const [address = '', , name] = line.split(/[ \t]/);
      if (name === undefined) continue;
      const known = this.addresses.get(name);
      if (known === undefined) this.addresses.set(name, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }

  get size(): number {
    return this.addresses.size;
  }

  address(name: string): readonly [number, number] | null {
    return halves(this.addresses.get(name)?.[0]);
  }

  otherAddress(name: string): readonly [number, number] | null {
    return halves(this.addresses.get(name)?.[1]);
  }
}

function halves(address: string | undefined): readonly [number, number] | null {
  return address === undefined ? null : [parseInt(address.slice(0, -8), 16), parseInt(address.slice(-8), 16)];
}

/** Where libbpf looks for the configuration; empty where there is none. */
function readConfig(): ReadonlyMap<string, string> {
  const file = [`/boot/config-${release()}`, '/proc/config.gz'].find((path) => existsSync(path));
  if (file === undefined) return new Map();
  const bytes = readFileSync(file);
  const text = file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  const lines = text.toString('latin1').matchAll(/^(CONFIG_\w+)=(.*)$/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]));
}
