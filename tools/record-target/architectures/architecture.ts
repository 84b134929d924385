/**
 * What differs between the architectures of recorded kernels: how their machines are booted, and the processor that runs
 * their functions. Everything else in this tool knows this interface alone.
 */
import type { ByteOrder } from '../../../src/compiler/bytes/byte-order.js';
import type { CpuFacts } from '../../../src/compiler/jit/architecture.js';
import type { Processor, ProcessorSetting } from '../emulate/processor.js';
import type { Kernel } from '../kernel/kernel.js';

export interface RecordedArchitecture {
  /** As in manifests. */
  readonly name: string;
  /** What the kernel itself calls it (/proc/sys/kernel/arch, since Linux 6.1). */
  readonly machine: string;
  readonly byteOrder: ByteOrder;
  /** What `prepare` needs: Debian's name of the architecture, the compiler for it, the packages of both and of QEMU. */
  readonly debian: { readonly name: string; readonly triplet: string; readonly packages: readonly string[] };
  /** The command that boots its machine with every processor feature that QEMU knows, and the console's device. */
  readonly qemu: { readonly command: string; readonly arguments: readonly string[]; readonly console: string };
  /** The line of /proc/cpuinfo that lists the processor's features. */
  readonly cpuFeatures: RegExp;
  /** Whether a 64-bit value may be the address of something in the kernel's own space. */
  isKernelAddress(value: bigint): boolean;
  /** Bits of kernel addresses in use; the processor may offer fewer than the kernel was built for. */
  addressBits(kernel: Kernel): number;
  /** Size of pages as a power of two, by the lines of .config. */
  pageShift(config: string): number;
  /** Features and mitigations that change machine code, where the kernel's configuration does not tell them all. */
  cpu?(kernel: Kernel): Promise<CpuFacts>;
  /** A processor that runs the kernel's functions. */
  processor(setting: ProcessorSetting): Processor;
}

/** The value of a setting in .config, '' where it has none. */
export function settingOf(config: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(config)?.[1] ?? '';
}
