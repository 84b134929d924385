/** What the loading process may do, as requests say it: a message, or a list of the kernel's names in a query or command. */
import * as cap from '../../compiler/compile.js';
import type { CapabilitiesMessage } from './messages.js';

const BITS: readonly (readonly [keyof CapabilitiesMessage, number])[] = [
  ['bpf', cap.CAP_BPF],
  ['perfmon', cap.CAP_PERFMON],
  ['netAdmin', cap.CAP_NET_ADMIN],
  ['sysAdmin', cap.CAP_SYS_ADMIN],
  ['sysBoot', cap.CAP_SYS_BOOT],
];

/** Effective capabilities as the compiler takes them; root's where the message is absent. */
export function capabilityBits(message: CapabilitiesMessage | undefined): number {
  if (message === undefined) return cap.ALL_CAPABILITIES;
  const held = BITS.reduce((bits, [member, bit]) => (message[member] === true ? bits | bit : bits), 0);
  return cap.effectiveCapabilities(held);
}

/**
 * "CAP_BPF,CAP_NET_ADMIN" as the message's JSON; "none" for no capabilities. A name that there is none of becomes a member
 * that there is none of, for readJson to refuse.
 */
export function capabilitiesFromNames(text: string): Record<string, true> {
  const names = text.split(',').filter((name) => name !== '' && name !== 'none');
  return Object.fromEntries(names.map((name) => [memberOf(name), true as const]));
}

function memberOf(name: string): string {
  const words = name.replace(/^CAP_/, '').toLowerCase().split('_');
  return name.startsWith('CAP_')
    ? words.map((w, i) => (i === 0 ? w : w.charAt(0).toUpperCase() + w.slice(1))).join('')
    : name;
}
