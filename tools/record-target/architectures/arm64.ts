import { LITTLE_ENDIAN } from '../../../src/compiler/bytes/byte-order.js';
import { Arm64Processor } from '../emulate/arm64.js';
import { settingOf, type RecordedArchitecture } from './architecture.js';

export const ARM64: RecordedArchitecture = {
  name: 'arm64',
  machine: 'aarch64',
  byteOrder: LITTLE_ENDIAN,
  debian: {
    name: 'arm64',
    triplet: 'aarch64-linux-gnu',
    packages: ['qemu-system-arm', 'gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross', 'linux-libc-dev-arm64-cross'],
  },
  qemu: {
    command: 'qemu-system-aarch64',
    arguments: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on'],
    console: 'ttyAMA0',
  },
  cpuFeatures: /^Features\s*:\s*(.*)$/m,
  isKernelAddress: (value) => value >> 52n === 0xfffn,
  // The linear map starts where all higher bits are ones, and all that is allocated at boot lies near its start.
  addressBits: ({ memory, symbols }) =>
    BigInt.asUintN(64, ~memory.u64(symbols.address('btf_vmlinux'))).toString(2).length,
  pageShift: (config) => {
    const kilobytes = /^CONFIG_ARM64_(\d+)K_PAGES=y/m.exec(config)?.[1];
    return Number(settingOf(config, 'CONFIG_PAGE_SHIFT')) || 10 + Math.log2(Number(kilobytes ?? 4));
  },
  processor: (setting) => new Arm64Processor(setting),
};
