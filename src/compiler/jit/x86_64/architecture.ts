/** What the rest of the compiler sees of x86-64. Numbers of ELF are those of the System V ABI's supplement (AMD64, 1.0). */
import { LITTLE_ENDIAN } from '../../bytes/byte-order.js';
import { fail, type Failure } from '../../outcome.js';
import type { Architecture } from '../architecture.js';
import { buildFeatures, CPU_FEATURES, cpuFeatures, kernelOffsets, userEnd } from './cpu.js';
import { selfCounting } from './self-counting.js';
import { compileProgram } from './jit.js';
import { CALL_RELOCATIONS, firstArgument } from './module-calls.js';

/** What may be a kernel symbol's name; empty for none. */
const SYMBOL = /^\w{0,127}$/;
const NO_SYMBOL: Failure = {
  stage: 'JIT',
  code: 'CPU_INVALID',
  message: 'rethunk is not the name of a kernel function',
  errno: 0,
};

export const X86_64: Architecture = {
  name: 'x86_64',
  kernelSetting: 'CONFIG_X86_64',
  byteOrder: LITTLE_ENDIAN,
  cpuFeatures: CPU_FEATURES,
  instructionUnit: 1,
  elf: {
    machine: 62, // EM_X86_64
    flags: 0,
    relocations: {
      R_X86_64_64: 1,
      R_X86_64_PC32: 2,
      R_X86_64_32: 10,
      R_X86_64_32S: 11,
    },
    absolute64: 'R_X86_64_64',
    absolute32: 'R_X86_64_32',
    relative32: 'R_X86_64_PC32',
    mappingSymbols: null,
    addressBehind: null,
  },
  capstone: { architecture: 'CS_ARCH_X86', modes: ['CS_MODE_64'] },
  moduleCalls: { relocations: CALL_RELOCATIONS, firstArgument },
  compile: (program, { profile, cpu, link }) => {
    const features = cpuFeatures(profile.cpu, cpu);
    if (!SYMBOL.test(features.rethunk)) return fail(NO_SYMBOL);
    return compileProgram(program, {
      cpu: features,
      build: buildFeatures(profile.config),
      offsets: kernelOffsets(profile.btf),
      userEnd: userEnd(features.la57),
      countsItself: selfCounting(profile),
      link,
    });
  },
};
