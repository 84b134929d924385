/** What the rest of the compiler sees of s390x. Numbers of ELF are those of the s390x supplement (version 1.6, 2021). */
import { BIG_ENDIAN } from '../../bytes/byte-order.js';
import type { Architecture } from '../architecture.js';
import { disassemble } from './disassemble.js';
import { compileProgram } from './jit.js';
import { CALL_RELOCATIONS, firstArgument } from './module-calls.js';
import { cpuFeatures, kernelOffsets } from './target.js';

export const S390X: Architecture = {
  name: 's390x',
  kernelSetting: 'CONFIG_S390',
  byteOrder: BIG_ENDIAN,
  cpuFeatures: ['expolines'],
  instructionUnit: 2,
  elf: {
    machine: 22, // EM_S390
    flags: 0,
    relocations: { R_390_32: 4, R_390_PC32: 5, R_390_64: 22 },
    absolute64: 'R_390_64',
    absolute32: 'R_390_32',
    relative32: 'R_390_PC32',
    mappingSymbols: null,
    addressBehind: null,
  },
  capstone: null,
  disassemble,
  moduleCalls: { relocations: CALL_RELOCATIONS, firstArgument },
  compile: (program, { profile, cpu, link }) =>
    compileProgram(program, {
      cpu: cpuFeatures(profile, cpu),
      offsets: kernelOffsets(profile.btf),
      longJumps: profile.behaviour.longJumps,
      link,
    }),
};
