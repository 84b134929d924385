import { BIG_ENDIAN } from '../../../src/compiler/bytes/byte-order.js';
import { S390xProcessor } from '../emulate/s390x/processor.js';
import { settingOf, type RecordedArchitecture } from './architecture.js';

/** Kernel addresses are no other numbers than user ones: what lies below is the lowcore, and what is above no kernel uses. */
const LOWEST = 0x1_0000n;
const HIGHEST = 0x4000_0000_0000n;
/** A kernel's address space has two levels of tables less than the five that there are, where that is enough for it: 42 bits. */
const THREE_LEVELS = 42;

export const S390X: RecordedArchitecture = {
  name: 's390x',
  machine: 's390x',
  byteOrder: BIG_ENDIAN,
  debian: {
    name: 's390x',
    triplet: 's390x-linux-gnu',
    packages: ['qemu-system-misc', 'gcc-s390x-linux-gnu', 'libc6-dev-s390x-cross', 'linux-libc-dev-s390x-cross'],
  },
  qemu: {
    command: 'qemu-system-s390x',
    arguments: ['-M', 's390-ccw-virtio', '-cpu', 'max'],
    console: 'ttysclp0',
  },
  cpuFeatures: /^features\s*:\s*(.*?)\s*$/m,
  isKernelAddress: (value) => value >= LOWEST && value < HIGHEST,
  addressBits: () => THREE_LEVELS,
  pageShift: (config) => Number(settingOf(config, 'CONFIG_PAGE_SHIFT')) || 12,
  processor: (setting) => new S390xProcessor(setting),
};
