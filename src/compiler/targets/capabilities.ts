/**
 * What the process that loads a program may do, as far as bpf(2) asks (include/uapi/linux/capability.h): a set of bits,
 * numbered by us.
 */
export const CAP_BPF = 1 << 0;
export const CAP_PERFMON = 1 << 1;
export const CAP_NET_ADMIN = 1 << 2;
export const CAP_SYS_ADMIN = 1 << 3;
export const CAP_SYS_BOOT = 1 << 4;
export const ALL_CAPABILITIES = (1 << 5) - 1;

/** What a process that holds these passes for: CAP_SYS_ADMIN once covered what became capabilities of their own (Linux 5.8). */
export function effectiveCapabilities(held: number): number {
  return (held & CAP_SYS_ADMIN) === 0 ? held : held | CAP_BPF | CAP_PERFMON | CAP_NET_ADMIN;
}

export function isCapable(capabilities: number, wanted: number): boolean {
  return (capabilities & wanted) === wanted;
}
