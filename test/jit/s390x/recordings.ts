/**
 * Golden records of linux-6.12-s390x-z13 as input for the JIT. What is not in them follows from the rules that
 * ../corpus.ts tells.
 */
import { BIG_ENDIAN } from '../../../src/compiler/bytes/byte-order.js';
import { Instructions } from '../../../src/compiler/isa/instructions.js';
import * as isa from '../../../src/compiler/isa/opcodes.js';
import { addressOf, distance, type Address } from '../../../src/compiler/jit/address.js';
import type { JitFunction, JitProgram } from '../../../src/compiler/jit/program.js';
import type { JitOptions } from '../../../src/compiler/jit/s390x/jit.js';
import type { GoldenFunction, GoldenRecord } from '../../golden/golden.js';
import type { CalledFunction } from '../../golden/kernel-functions.js';

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

/** The calls of kernel functions in a recorded function: slots, and the functions' BTF ids. */
export function kernelFunctionCalls({
  jitInput: hex,
}: Pick<GoldenFunction, 'jitInput'>): { slot: number; id: number }[] {
  const insns = parseInstructions(hex);
  const calls: { slot: number; id: number }[] = [];
  for (let i = 0; i < insns.length; i++) {
    if (insns.opcode(i) === isa.LD_IMM64) i++;
    else if (insns.opcode(i) === (isa.JMP | isa.CALL) && insns.src(i) === isa.PSEUDO_KFUNC_CALL)
      calls.push({ slot: i, id: insns.imm(i) });
  }
  return calls;
}

/** Indexes of the functions that others call or take the address of. */
function referencedFunctions(record: GoldenRecord): Set<number> {
  const referenced = new Set<number>();
  for (const { jitInput: hex } of record.functions) {
    const insns = parseInstructions(hex);
    for (let i = 0; i < insns.length; i++) {
      const [opcode, src] = [insns.opcode(i), insns.src(i)];
      const isCall = opcode === (isa.JMP | isa.CALL) && src === isa.PSEUDO_CALL;
      if (isCall || (opcode === isa.LD_IMM64 && src === isa.PSEUDO_FUNC)) referenced.add(insns.off(i));
      if (opcode === isa.LD_IMM64) i++;
    }
  }
  return referenced;
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

/** Calls of kernel functions count from __bpf_call_base, as link/resolve.ts has them. */
function recordedFunction(fn: GoldenFunction, called: KernelFunctions): JitFunction {
  const instructions = parseInstructions(fn.jitInput);
  const kernelCalls = new Map(
    kernelFunctionCalls(fn).map(({ slot, id }) => {
      const { address, arguments: models } = called[id]!;
      instructions.setImm(slot, distance(parseAddress(address), CALL_BASE));
      return [slot, models] as const;
    }),
  );
  return jitFunction(instructions, { stackDepth: fn.stackDepth, kernelCalls });
}

type KernelFunctions = Readonly<Record<string, CalledFunction>>;

export function jitInput(
  record: GoldenRecord,
  called: KernelFunctions = {},
): { program: JitProgram; options: JitOptions } {
  const ids = record.functions.flatMap(kernelFunctionCalls).map(({ id }) => id);
  const throws = ids.some((id) => called[id]!.name === 'bpf_throw');
  const referenced = referencedFunctions(record);
  const functions = record.functions.map((fn, index) => ({
    ...recordedFunction(fn, called),
    name: `f${index}`,
    isSubprogram: index > 0,
    exceptionBoundary: throws && index === 0,
    exceptionCallback: throws && index > 0 && !referenced.has(index),
  }));
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
