import { gunzipSync } from 'node:zlib';
import { ARCHITECTURES } from '../../../src/compiler/jit/architectures.js';
import type { Manifest } from '../../../src/compiler/targets/data.js';
import type { ProgramEmulator } from '../emulate/program.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Agent } from '../machine/agent.js';

/** .config of the running kernel: from /boot or /proc; only its settings. */
export async function configuration(agent: Agent): Promise<string> {
  const release = await line(agent, '/proc/sys/kernel/osrelease');
  for (const path of ['/boot/config', `/boot/config-${release}`, '/proc/config.gz']) {
    const data = await agent.file(path);
    if (data === null) continue;
    const text = (path.endsWith('.gz') ? gunzipSync(data) : data).toString('latin1');
    return text
      .split('\n')
      .filter((setting) => setting.startsWith('CONFIG_'))
      .join('\n');
  }
  throw new Error('the machine has neither /boot/config, /boot/config-RELEASE nor /proc/config.gz');
}

export type MachineFacts = Omit<
  Manifest,
  'name' | 'digest' | 'source' | 'loadOffset' | 'features' | 'verified' | 'asked'
>;

/** What a kernel is, beside its tables. */
export async function machineFacts(kernel: Kernel, emulator: ProgramEmulator, config: string): Promise<MachineFacts> {
  const { agent } = kernel;
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(config)?.[1] ?? '';
  const cpus = await line(agent, '/sys/devices/system/cpu/possible');
  const pageBits =
    Number(setting('CONFIG_PAGE_SHIFT')) || (/^CONFIG_ARM64_(\d+)K_PAGES=y/m.exec(config) ? pageShift(config) : 12);
  const addressBits = virtualAddressBits(kernel);
  const unused = BigInt(64 - addressBits);
  emulator.cpu.translationControl = unused | (unused << 16n); // T0SZ, T1SZ
  return {
    architecture: architecture(config),
    release: await line(agent, '/proc/sys/kernel/osrelease'),
    version: await line(agent, '/proc/sys/kernel/version'),
    pageSize: 1 << pageBits,
    virtualAddressBits: addressBits,
    userLimit: `0x${(await ask(emulator, 'bpf_arch_uaddress_limit', [])).toString(16)}`,
    possibleCpus: Number(/(\d+)$/.exec(cpus)?.[1] ?? 0) + 1,
    kernelHz: Number(setting('CONFIG_HZ')),
    cpuFeatures:
      /^Features\s*:\s*(.*)$/m.exec((await agent.file('/proc/cpuinfo'))?.toString() ?? '')?.[1]?.split(' ') ?? [],
    jitInlinedHelpers: await inlinedHelpers(emulator),
    jitBypassesSpecV4: ((await ask(emulator, 'bpf_jit_bypass_spec_v4', [])) & 1n) !== 0n,
  };
}

function architecture(config: string): string {
  const found = ARCHITECTURES.find(({ kernelSetting }) => config.split('\n').includes(`${kernelSetting}=y`));
  if (found === undefined) throw new Error('the kernel is for an architecture that the compiler has no code for');
  return found.name;
}

function pageShift(config: string): number {
  return 10 + Math.log2(Number(/^CONFIG_ARM64_(\d+)K_PAGES=y/m.exec(config)?.[1] ?? 4));
}

/**
 * Bits of kernel addresses in use: the processor may offer fewer than the kernel was built for. The linear map starts
 * where all higher bits are ones, and all that is allocated at boot lies near its start.
 */
function virtualAddressBits(kernel: Kernel): number {
  const allocated = kernel.memory.u64(kernel.symbols.address('btf_vmlinux'));
  return BigInt.asUintN(64, ~allocated).toString(2).length;
}

async function inlinedHelpers(emulator: ProgramEmulator): Promise<number[]> {
  const found = [];
  for (const [name, id] of emulator.kernel.enumerators('bpf_func_id')) {
    if (name === '__BPF_FUNC_MAX_ID') continue;
    if ((await ask(emulator, 'bpf_jit_inlines_helper_call', [BigInt(id)])) & 1n) found.push(id);
  }
  return found;
}

/** A question that a function of the kernel answers; 0 where this kernel has no such function. */
async function ask(emulator: ProgramEmulator, name: string, args: bigint[]): Promise<bigint> {
  const at = emulator.kernel.symbols.find(name);
  const kind = { type: 0, attachType: 0, sleepable: false, attachBtfId: 0 };
  return at === null ? 0n : emulator.run(kind, () => undefined, at, args);
}

async function line(agent: Agent, path: string): Promise<string> {
  return ((await agent.file(path)) ?? '').toString().trim();
}
