/**
 * Reads recordings of the kernel (../shared/corpus, or our own of the same form) as input for the JIT.
 *
 * A recording holds each function's instructions as the kernel's JIT was given them. What is not in them follows from
 * rules: the first function is the main program; a program that calls bpf_throw makes its main program an exception
 * boundary, and the function of it that nothing calls or takes the address of is the exception callback; a program that
 * was handed in with a reference to a map of type arena has that arena.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { addOffset, addressOf, distance, type Address } from '../../src/compiler/jit/address.js';
import type { KernelOffsets } from '../../src/compiler/jit/arm64/target.js';
import type { JitOptions } from '../../src/compiler/jit/arm64/jit.js';
import type { ResolvedLink } from '../../src/compiler/jit/architecture.js';
import type { JitFunction, JitProgram } from '../../src/compiler/jit/program.js';

export interface RecordedFunction {
  readonly address: string;
  readonly code: string;
  readonly extable: readonly { offset: number; resume: number; register: number; raw: string }[];
  readonly extable_offset?: number;
  readonly stack_depth: number;
  readonly jit_input: string;
}

interface RecordedMap {
  readonly fd: number;
  readonly type: number;
  readonly address: string;
  readonly value_address: string;
  readonly kernel_address: string;
}

/** A line of `kernel.jsonl.gz`. */
export interface Recording {
  readonly prog: string;
  readonly type: number;
  readonly err: number;
  readonly functions?: readonly RecordedFunction[];
  /** As handed to the verifier: LD_IMM64 with source 1 or 2 carries a map's file descriptor. */
  readonly insns: string;
  readonly maps: readonly RecordedMap[];
  /** The value that the program was written to compute, and what the kernel's run of it returned. */
  readonly expect?: number;
  readonly retval?: number;
}

/** What the JIT's input is made of. */
export interface CompiledRecording {
  readonly prog: string;
  readonly type: number;
  readonly err: number;
  readonly functions: readonly RecordedFunction[];
  readonly arena: { readonly kernelAddress: string; readonly valueAddress: string } | null;
  /** The value that the program was written to compute, and what the kernel's run of it returned. */
  readonly expect?: number;
  readonly retval?: number;
}

const MAP_TYPE_ARENA = 33;
/** Symbols of a recorded kernel, which is booted without address randomization. */
export interface RecordedSymbols {
  readonly callBase: Address;
  readonly bpfThrow: Address;
  readonly others: ReadonlyMap<string, Address>;
}

export const ARM64_SYMBOLS: RecordedSymbols = {
  callBase: addressOf(0xffff8000802637c8n),
  bpfThrow: addressOf(0xffff8000802a2d28n),
  others: new Map(),
};

/** Structure offsets of that kernel; target.test.ts holds them against its BTF. */
export const OFFSETS: KernelOffsets = { arrayMaxEntries: 36, arrayPointers: 264, programFunction: 48, threadCpu: 16 };

/** The recordings of a `kernel.jsonl.gz` that carry code. */
export function compiledRecordings(file: string): CompiledRecording[] {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Recording)
    .flatMap((r) =>
      r.err === 0 && r.functions !== undefined ? [{ ...r, functions: r.functions, arena: arenaOf(r) }] : [],
    );
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function parseAddress(text: string): Address {
  return addressOf(BigInt(text.startsWith('0x') ? text : `0x${text}`));
}

interface Uses {
  readonly throws: boolean;
  readonly referenced: ReadonlySet<number>;
  /** Functions that make tail calls, or call one that does. */
  readonly tailCalling: ReadonlySet<number>;
}

function usesOf(functions: readonly Instructions[], { callBase, bpfThrow }: RecordedSymbols): Uses {
  let throws = false;
  const referenced = new Set<number>();
  const tailCalling = new Set<number>();
  const calls: (readonly [caller: number, callee: number])[] = [];
  functions.forEach((insns, f) => {
    for (let i = 0; i < insns.length; i++) {
      if (insns.opcode(i) === (isa.JMP | isa.CALL)) {
        if (insns.src(i) === isa.PSEUDO_CALL) {
          referenced.add(insns.off(i));
          calls.push([f, insns.off(i)]);
        } else if (distance(addOffset(callBase, insns.imm(i)), bpfThrow) === 0) throws = true;
      } else if (insns.opcode(i) === (isa.JMP | isa.TAIL_CALL)) tailCalling.add(f);
      else if (insns.opcode(i) === isa.LD_IMM64) {
        if (insns.src(i) === isa.PSEUDO_FUNC) referenced.add(insns.off(i));
        i++;
      }
    }
  });
  for (let known = -1; known !== tailCalling.size;) {
    known = tailCalling.size;
    for (const [caller, callee] of calls) if (tailCalling.has(callee)) tailCalling.add(caller);
  }
  return { throws, referenced, tailCalling };
}

/** The arena that the program refers to, if any. */
function arenaOf(r: Recording): CompiledRecording['arena'] {
  const insns = Instructions.from(fromHex(r.insns));
  for (let i = 0; i < insns.length; i++) {
    if (insns.opcode(i) !== isa.LD_IMM64) continue;
    const src = insns.src(i);
    if (src === isa.PSEUDO_MAP_FD || src === isa.PSEUDO_MAP_VALUE) {
      const map = r.maps.find((m) => m.type === MAP_TYPE_ARENA && m.fd === insns.imm(i));
      if (map !== undefined) return { kernelAddress: map.kernel_address, valueAddress: map.value_address };
    }
    i++;
  }
  return null;
}

/** A recording's program, and where the kernel had put everything. */
export function linkedProgram(
  r: CompiledRecording,
  symbols: RecordedSymbols,
): { program: JitProgram; link: ResolvedLink } {
  const instructions = r.functions.map((f) => Instructions.from(fromHex(f.jit_input)));
  const { throws, referenced, tailCalling } = usesOf(instructions, symbols);
  const functions = r.functions.map((f, index): JitFunction => {
    return {
      name: `f${index}`,
      instructions: instructions[index]!,
      symbols: new Map(),
      stackDepth: f.stack_depth,
      original: new Int32Array(instructions[index]!.length),
      isSubprogram: index > 0,
      exceptionBoundary: throws && index === 0,
      exceptionCallback: throws && index > 0 && !referenced.has(index),
      tailCallReachable: tailCalling.has(index),
    };
  });
  const { arena } = r;
  const link = {
    functions: r.functions.map((f) => parseAddress(f.address)),
    callBase: symbols.callBase,
    arena:
      arena === null ? null : { kernel: parseAddress(arena.kernelAddress), user: parseAddress(arena.valueAddress) },
    symbol: (name: string) => symbols.others.get(name) ?? null,
  };
  return { program: { functions, arenaMap: arena === null ? -1 : 0, type: r.type }, link };
}

/** The arm64 JIT's input and options (LSE and signed return addresses unless `cpu` says otherwise) for a recording. */
export function jitInput(
  r: CompiledRecording,
  cpu = { lse: true, bti: false, pac: true },
): { program: JitProgram; options: JitOptions } {
  const { program, link } = linkedProgram(r, ARM64_SYMBOLS);
  return { program, options: { cpu, offsets: OFFSETS, longJumps: true, link } };
}
