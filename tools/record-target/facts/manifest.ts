import { gunzipSync } from 'node:zlib';
import type { Manifest } from '../../../src/compiler/targets/data.js';
import { settingOf } from '../architectures/architecture.js';
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
  const cpus = await line(agent, '/sys/devices/system/cpu/possible');
  const { architecture } = kernel;
  return {
    architecture: architecture.name,
    release: await line(agent, '/proc/sys/kernel/osrelease'),
    version: await line(agent, '/proc/sys/kernel/version'),
    pageSize: 1 << architecture.pageShift(config),
    virtualAddressBits: architecture.addressBits(kernel),
    userLimit: `0x${(await ask(emulator, 'bpf_arch_uaddress_limit', [])).toString(16)}`,
    possibleCpus: Number(/(\d+)$/.exec(cpus)?.[1] ?? 0) + 1,
    kernelHz: Number(settingOf(config, 'CONFIG_HZ')),
    ...(architecture.cpu === undefined ? {} : { cpu: await architecture.cpu(kernel) }),
    cpuFeatures:
      architecture.cpuFeatures.exec((await agent.file('/proc/cpuinfo'))?.toString() ?? '')?.[1]?.split(' ') ?? [],
    jitInlinedHelpers: await inlinedHelpers(emulator),
    jitBypassesSpecV4: ((await ask(emulator, 'bpf_jit_bypass_spec_v4', [])) & 1n) !== 0n,
  };
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
