/**
 * Golden records of linux-6.12-s390x-z13 as input for the JIT. What is not in them follows from the rules that
 * ../corpus.ts tells.
 */
import { BIG_ENDIAN } from '../../../src/compiler/bytes/byte-order.js';
import { Instructions } from '../../../src/compiler/isa/instructions.js';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import { addressOf, type Address } from '../../../src/compiler/jit/address.js';
import type { JitFunction, JitProgram } from '../../../src/compiler/jit/program.js';
import type { JitOptions } from '../../../src/compiler/jit/s390x/jit.js';
import type { GoldenRecord } from '../../golden/golden.js';

/** Symbols of the recorded kernel, which is booted without address randomization. */
export const CALL_BASE = addressOf(0x3ffe02c0d88n);
/** Structure offsets of that kernel. */
export const OFFSETS = { arrayMaxEntries: 36, arrayPointers: 264, programFunction: 48 };

export function parseAddress(text: string): Address {
  return addressOf(BigInt(text.startsWith('0x') ? text : `0x${text}`));
}

/** Instructions from hexadecimal text in the machine's byte order. */
export function parseInstructions(hex: string): Instructions {
  return Instructions.from(new Uint8Array(Buffer.from(hex, 'hex')), BIG_ENDIAN);
}

/** Whether a program calls kernel functions: what those are, only the kernel's types tell. */
export function callsKernelFunctions(record: GoldenRecord): boolean {
  return record.functions.some(({ jitInput }) => {
    const insns = parseInstructions(jitInput);
    for (let i = 0; i < insns.length; i++) {
      if (insns.opcode(i) === isa.LD_IMM64) i++;
      else if (insns.opcode(i) === (isa.JMP | isa.CALL) && insns.src(i) === isa.PSEUDO_KFUNC_CALL) return true;
    }
    return false;
  });
}

/** A function as its JIT is given it; the main program unless told otherwise. */
export function jitFunction(instructions: Instructions, more: Partial<JitFunction> = {}): JitFunction {
  return {
    name: 'main',
    instructions,
    symbols: new Map(),
    stackDepth: 0,
    original: new Int32Array(instructions.length),
    isSubprogram: false,
    exceptionBoundary: false,
    exceptionCallback: false,
    tailCallReachable: false,
    ...more,
  };
}

export function jitInput(record: GoldenRecord): { program: JitProgram; options: JitOptions } {
  const functions = record.functions.map(({ jitInput: hex, stackDepth }, index) =>
    jitFunction(parseInstructions(hex), { name: `f${index}`, stackDepth, isSubprogram: index > 0 }),
  );
  const arena = record.maps.find((m) => m.kernelAddress !== '0') ?? null;
  const link = {
    functions: record.functions.map(({ address }) => parseAddress(address)),
    callBase: CALL_BASE,
    arena:
      arena === null ? null : { kernel: parseAddress(arena.kernelAddress), user: parseAddress(arena.valueAddress) },
    symbol: () => null,
  };
  return {
    program: { functions, arenaMap: arena === null ? -1 : 0, type: record.type },
    options: { cpu: { expolines: false }, offsets: OFFSETS, longJumps: true, link },
  };
}
