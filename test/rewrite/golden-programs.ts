/** Our golden programs on their way to the JIT, and the kernel's recordings made comparable. */
import { Instructions } from '../../src/compiler/isa/instructions.js';
import * as isa from '../../src/compiler/isa/opcodes.js';
import { loadObject } from '../../src/compiler/load/object.js';
import type { Program } from '../../src/compiler/load/program.js';
import type { SymbolRef } from '../../src/compiler/rewrite/program.js';
import { rewrite, type Rewritten } from '../../src/compiler/rewrite/rewrite.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import { verify } from '../../src/compiler/verify/verify.js';
import { readGoldenObject, type GoldenRecord } from '../golden/golden.js';

export interface GoldenProgram {
  readonly program: Program;
  readonly rewritten: Rewritten;
}

/** Loads, verifies and rewrites one program of test/golden/rewrite. Throws where one of the three refuses it. */
export function rewriteGolden(profile: Profile, name: string, record: GoldenRecord): GoldenProgram {
  const { program, rewritten } = tryGolden(profile, name, record);
  if (!rewritten.ok) throw new Error(rewritten.failure.message);
  return { program, rewritten: rewritten.value };
}

/** The same for a program that the rewrites may refuse. */
export function tryGolden(profile: Profile, name: string, record: GoldenRecord) {
  const object = loadObject(readGoldenObject('rewrite', name), profile, {
    programs: [record.program],
    legacyMaps: false,
  });
  const loaded = object.programs.find((p) => p.name === record.program)?.program;
  if (loaded?.ok !== true) throw new Error(`not loaded: ${(loaded?.failure ?? object.failure)?.message ?? ''}`);
  const program = loaded.value;
  const verdict = verify(program, profile, { logLevel: 1 });
  if (verdict.verified === null) throw new Error(`not accepted: ${verdict.log}`);
  return { program, rewritten: rewrite(verdict.verified) };
}

function constantAt(insns: Instructions, slot: number): bigint {
  return (BigInt(insns.imm(slot + 1) >>> 0) << 32n) + BigInt(insns.imm(slot) >>> 0);
}

/** A kernel address by name, or by what the recording says of the program. */
function addressOf(
  symbol: Exclude<SymbolRef, { kind: 'structMeta' }>,
  profile: Profile,
  program: Program,
  record: GoldenRecord,
): bigint {
  const map = (index: number) => record.maps.find((m) => m.name === program.maps[index]?.name);
  switch (symbol.kind) {
    case 'kernel': {
      const [high, low] = profile.symbols.address(symbol.name) ?? [0, 0];
      if (high === 0) throw new Error(`no symbol ${symbol.name}`);
      return (BigInt(high >>> 0) << 32n) + BigInt(low >>> 0) + BigInt(symbol.addend);
    }
    case 'map':
      return BigInt(`0x${map(symbol.index)?.address ?? '0'}`);
    case 'mapValue':
      return BigInt(`0x${map(symbol.index)?.valueAddress ?? '0'}`) + BigInt(symbol.addend);
    case 'function':
      return BigInt(record.functions[symbol.index]?.address ?? 0);
    case 'programAux':
      return BigInt(record.programAux);
    case 'arena':
      throw new Error(`nobody knows the address of ${symbol.kind}`);
  }
}

/**
 * Puts addresses where symbols stand, as the kernel has them: calls count from __bpf_call_base. What the kernel keeps of a
 * type of the program's lies where only the recording tells: it is taken from there, one address a type.
 */
export function withAddresses(
  insns: Instructions,
  symbols: ReadonlyMap<number, SymbolRef>,
  { program }: GoldenProgram,
  profile: Profile,
  record: GoldenRecord,
  recorded: Instructions,
): Instructions {
  const out = insns.clone();
  const types = new Map<number, bigint>();
  const base = addressOf({ kind: 'kernel', name: '__bpf_call_base', addend: 0 }, profile, program, record);
  for (const [slot, symbol] of symbols) {
    let address: bigint;
    if (symbol.kind === 'structMeta') {
      address = types.get(symbol.typeId) ?? constantAt(recorded, slot);
      if (address >> 48n !== 0xfff0n) throw new Error(`no kernel pointer in slot ${slot}`);
      types.set(symbol.typeId, address);
    } else address = addressOf(symbol, profile, program, record);
    if (out.opcode(slot) === isa.LD_IMM64) {
      out.setImm(slot, Number(BigInt.asIntN(32, address)));
      out.setImm(slot + 1, Number(BigInt.asIntN(32, address >> 32n)));
    } else {
      out.setImm(slot, Number(BigInt.asIntN(32, address - base)));
    }
  }
  return out;
}

/**
 * Text of instructions, one a line, without what does not matter: which map an LD_IMM64 means in a dump (its id is
 * the running kernel's), and in JIT input what the kernel keeps in the offset of calls and the source of LD_IMM64.
 */
export function comparable(insns: Instructions, kind: 'dump' | 'jit'): string[] {
  const lines: string[] = [];
  for (let i = 0; i < insns.length; i++) {
    let [src, off, imm] = [insns.src(i), insns.off(i), insns.imm(i)];
    if (insns.opcode(i) === isa.LD_IMM64) {
      if (kind === 'dump' && (src === isa.PSEUDO_MAP_FD || src === isa.PSEUDO_MAP_VALUE)) imm = 0;
      if (kind === 'jit' && src !== isa.PSEUDO_FUNC) src = 0;
      if (kind === 'jit') off = 0;
    } else if (insns.opcode(i) === (isa.JMP | isa.CALL)) {
      if (kind === 'jit') off = 0;
    }
    lines.push(`${insns.opcode(i).toString(16)} r${insns.dst(i)} r${src} ${off} ${imm}`);
  }
  return lines;
}

export function fromHex(hex: string): Instructions {
  return Instructions.from(Buffer.from(hex, 'hex'));
}
