import { assemble, load, RETURN_ZERO } from '../ask/load.js';
import type { RecordedArchitecture } from '../architectures/architecture.js';
import type { Agent } from './agent.js';

const EPERM = 1;
const EACCES = 13;
const SOCKET_FILTER = 1;

/** For whoever runs the recorder: the machine, not the recorder, is to be changed. */
export class NotRecordable extends Error {}

/** What keeps a machine's kernel from being recorded, and what to do about it; throws NotRecordable with all of it at once. */
export async function preflight(architecture: RecordedArchitecture, agent: Agent): Promise<void> {
  const reasons = [
    await wrongMachine(architecture, agent),
    await noTypes(agent),
    await noMemory(agent),
    await noPrograms(agent),
  ];
  const found = reasons.filter((reason) => reason !== null);
  if (found.length > 0) throw new NotRecordable(`this kernel cannot be recorded:\n  - ${found.join('\n  - ')}`);
}

async function wrongMachine({ name, machine: wanted }: RecordedArchitecture, agent: Agent): Promise<string | null> {
  const machine = (await agent.file('/proc/sys/kernel/arch'))?.toString().trim(); // since Linux 6.1
  return machine === undefined || machine === wanted ? null : `it is not ${name} but ${machine}`;
}

async function noTypes(agent: Agent): Promise<string | null> {
  const btf = await agent.file('/sys/kernel/btf/vmlinux');
  return btf === null
    ? '/sys/kernel/btf/vmlinux is not readable: the kernel needs CONFIG_DEBUG_INFO_BTF, and sysfs mounted'
    : null;
}

/** Names and addresses, and what lies there. */
async function noMemory(agent: Agent): Promise<string | null> {
  const names = (await agent.file('/proc/kallsyms'))?.toString('latin1');
  if (names === undefined) return '/proc/kallsyms is not readable: the kernel needs CONFIG_KALLSYMS';
  const start = /^([0-9a-f]+) \w _stext$/m.exec(names)?.[1];
  if (start === undefined || BigInt(`0x${start}`) === 0n) {
    const restrict = (await agent.file('/proc/sys/kernel/kptr_restrict'))?.toString().trim() ?? 'unknown';
    return `/proc/kallsyms hides addresses (kptr_restrict is ${restrict}): run the agent as root, and set kptr_restrict to 0 or 1`;
  }
  const error = await agent.peekError(BigInt(`0x${start}`));
  if (error === 0) return null;
  const lockdown = (await agent.file('/sys/kernel/security/lockdown'))?.toString().trim();
  const locked =
    lockdown?.includes('[confidentiality]') === true ? ' (it is: boot with lockdown=integrity or none)' : '';
  const why = error === EPERM || error === EACCES ? 'not root, or lockdown=confidentiality' : 'CONFIG_PROC_KCORE?';
  return `/proc/kcore does not show the kernel's memory, errno ${error}: ${why}${locked}`;
}

async function noPrograms(agent: Agent): Promise<string | null> {
  const kind = { type: SOCKET_FILTER, attachType: 0, attachBtfId: 0, sleepable: false };
  const { errno } = await load(agent, { ...kind, instructions: assemble(RETURN_ZERO) });
  if (errno === 0) return null;
  const why = errno === -EPERM ? 'CAP_SYS_ADMIN in the first user namespace is needed' : 'CONFIG_BPF_SYSCALL?';
  return `bpf(2) does not load the smallest program, errno ${-errno}: ${why}`;
}
