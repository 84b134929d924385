/** What the rest of the compiler sees of arm64. Numbers of ELF are those of Arm's supplement (AAELF64, 2023). */
import { LITTLE_ENDIAN } from '../../bytes/byte-order.js';
import type { Architecture } from '../architecture.js';
import { compileProgram } from './jit.js';
import { CALL_RELOCATION, firstArgument } from './module-calls.js';
import { STUB_TARGET_SYMBOL } from './stub.js';
import { cpuFeatures, kernelOffsets } from './target.js';

export const ARM64: Architecture = {
  name: 'arm64',
  kernelSetting: 'CONFIG_ARM64',
  byteOrder: LITTLE_ENDIAN,
  cpuFeatures: ['lse', 'bti', 'pac'],
  instructionUnit: 4,
  elf: {
    machine: 183, // EM_AARCH64
    flags: 0,
    relocations: {
      R_AARCH64_ABS64: 257,
      R_AARCH64_ABS32: 258,
      R_AARCH64_PREL32: 261,
      R_AARCH64_MOVW_UABS_G0_NC: 264,
      R_AARCH64_MOVW_UABS_G1_NC: 266,
      R_AARCH64_MOVW_UABS_G2_NC: 268,
      R_AARCH64_MOVW_UABS_G3: 269,
      R_AARCH64_CALL26: CALL_RELOCATION,
    },
    absolute64: 'R_AARCH64_ABS64',
    absolute32: 'R_AARCH64_ABS32',
    relative32: 'R_AARCH64_PREL32',
    mappingSymbols: { code: '$x', data: '$d' },
    addressBehind: STUB_TARGET_SYMBOL,
  },
  capstone: { architecture: 'CS_ARCH_ARM64', modes: ['CS_MODE_LITTLE_ENDIAN'] },
  moduleCalls: { relocations: [CALL_RELOCATION], firstArgument },
  compile: (program, { profile, cpu, link }) =>
    compileProgram(program, {
      cpu: cpuFeatures(profile, cpu),
      offsets: kernelOffsets(profile.btf),
      longJumps: profile.behaviour.longJumps,
      link,
    }),
};
