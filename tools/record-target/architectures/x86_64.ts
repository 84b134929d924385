import { LITTLE_ENDIAN } from '../../../src/compiler/bytes/byte-order.js';
import { X86Processor } from '../emulate/x86_64/processor.js';
import type { RecordedArchitecture } from './architecture.js';
import { recordCpu } from './x86_64-cpu.js';

/** Kernel addresses begin where bit 47 and all above it are ones; with five levels of page tables, bit 56. */
const HIGHEST_HALF = 0xff00_0000_0000_0000n;

export const X86_64: RecordedArchitecture = {
  name: 'x86_64',
  machine: 'x86_64',
  byteOrder: LITTLE_ENDIAN,
  debian: {
    name: 'amd64',
    triplet: 'x86_64-linux-gnu',
    packages: ['qemu-system-x86', 'gcc', 'libc6-dev', 'linux-libc-dev'],
  },
  qemu: {
    command: 'qemu-system-x86_64',
    // An ordinary server: of two kernels on such machines, the mitigations are what may differ (`cpu`).
    arguments: ['-M', 'q35', '-cpu', 'EPYC-Milan'],
    console: 'ttyS0',
  },
  cpuFeatures: /^flags\s*:\s*(.*)$/m,
  isKernelAddress: (value) => value >= HIGHEST_HALF,
  // What is allocated at boot lies in the linear map, near the start of the upper half.
  addressBits: ({ memory, symbols }) =>
    1 + BigInt.asUintN(64, ~memory.u64(symbols.address('btf_vmlinux'))).toString(2).length,
  pageShift: () => 12,
  cpu: recordCpu,
  processor: (setting) => new X86Processor(setting, setting.symbol('pcpu_hot') ?? setting.symbol('current_task')),
};
