/**
 * Fills a program's immediates in from a link, in the form that the kernel hands its own JIT: calls of the kernel count
 * from __bpf_call_base, calls of the program's functions carry their index in the offset, LD_IMM64 holds the address.
 *
 * What the link does not tell stays a symbol, of which the JIT makes a relocation: nothing is guessed.
 */
import * as isa from '../isa/opcodes.js';
import type { Instructions } from '../isa/instructions.js';
import { addOffset, addressOf, distance, isNull, type Address } from '../jit/address.js';
import type { ArenaAddresses, ResolvedLink } from '../jit/architecture.js';
import type { JitFunction, JitProgram, SymbolRef } from '../jit/program.js';
import type { MapSpec } from '../load/program.js';
import { fail, ok, type Outcome } from '../outcome.js';
import type { Profile } from '../targets/profile.js';

/** Where a map lies: its struct bpf_map, its values, an arena's mapping in the kernel. 0: not told. */
export interface MapAddresses {
  readonly address: bigint;
  readonly valueAddress: bigint;
  readonly kernelAddress: bigint;
}

/** What a client tells of addresses; 0 and what is missing are not told. */
export interface LinkAddresses {
  /** Each function's image, main program first. */
  readonly functions: readonly bigint[];
  /** By map name. */
  readonly maps: ReadonlyMap<string, MapAddresses>;
  /** Over the profile's own. */
  readonly symbols: ReadonlyMap<string, bigint>;
  /** The program's struct bpf_prog_aux. */
  readonly programAux: bigint;
}

export interface Resolved {
  readonly program: JitProgram;
  readonly link: ResolvedLink;
}

/** What the immediates of calls count from. */
const CALL_BASE = '__bpf_call_base';
const INT32_MAX = 0x7fff_ffff;
const NOTHING_TOLD: LinkAddresses = { functions: [], maps: new Map(), symbols: new Map(), programAux: 0n };

/**
 * Resolves what can be resolved. `maps` are the program's, in the order its symbols count them. Fails with LINK_NO_BASE
 * where neither link nor profile knows __bpf_call_base, LINK_OUT_OF_RANGE where a kernel function lies further than
 * 2 GiB from it.
 */
export function resolve(
  program: JitProgram,
  maps: readonly MapSpec[],
  link: LinkAddresses,
  profile: Profile,
): Outcome<Resolved> {
  const resolver = new Resolver(maps, link, profile);
  const callBase = resolver.kernel(CALL_BASE);
  if (callBase === null) return linkFailure('LINK_NO_BASE', `the address of ${CALL_BASE} is not known`);
  const functions: JitFunction[] = [];
  for (const fn of program.functions) {
    const filled = fillIn(fn, resolver, callBase);
    if (!filled.ok) return filled;
    functions.push(filled.value);
  }
  const arena = resolver.arena(program.arenaMap);
  const symbol = (name: string): Address | null => resolver.kernel(name);
  return ok({ program: { ...program, functions }, link: { functions: resolver.functions, callBase, arena, symbol } });
}

/**
 * The translated program as the kernel dumps it, its calls of the kernel counted from __bpf_call_base, with the addresses
 * of the kernel's variables and of the program itself. `symbols` are those of `insns`; what is not known stays 0.
 */
export function fillAddresses(
  insns: Instructions,
  symbols: ReadonlyMap<number, SymbolRef>,
  maps: readonly MapSpec[],
  link: LinkAddresses | null,
  profile: Profile,
): Instructions {
  const resolver = new Resolver(maps, link ?? NOTHING_TOLD, profile);
  const callBase = resolver.kernel(CALL_BASE);
  const filled = insns.clone();
  for (const [slot, symbol] of symbols) {
    if (symbol.kind === 'kernel' && symbol.btfId !== undefined) {
      filled.setImm(slot, symbol.btfId);
      continue;
    }
    const address = resolver.symbol(symbol);
    if (address === null) continue;
    if (filled.opcode(slot) === isa.LD_IMM64) {
      filled.setImm(slot, address.lo);
      filled.setImm(slot + 1, address.hi);
    } else if (callBase !== null) filled.setImm(slot, distance(address, callBase));
  }
  return filled;
}

function linkFailure(code: string, message: string): ReturnType<typeof fail> {
  return fail({ stage: 'LINK', code, message, errno: 0 });
}

function fillIn(fn: JitFunction, resolver: Resolver, callBase: Address): Outcome<JitFunction> {
  const instructions = fn.instructions.clone();
  const unresolved = new Map<number, SymbolRef>();
  for (const [slot, symbol] of fn.symbols) {
    const address = resolver.symbol(symbol);
    if (address === null) unresolved.set(slot, symbol);
    else if (instructions.opcode(slot) === isa.LD_IMM64) setConstant(instructions, slot, symbol, address);
    else if (symbol.kind === 'function') instructions.setOff(slot, symbol.index);
    else {
      const imm = distance(address, callBase);
      if (Math.abs(imm) > INT32_MAX)
        return linkFailure('LINK_OUT_OF_RANGE', `${symbol.kind} symbol out of a call's range`);
      instructions.setImm(slot, imm);
    }
  }
  return ok({ ...fn, instructions, symbols: unresolved });
}

function setConstant(instructions: Instructions, slot: number, symbol: SymbolRef, address: Address): void {
  instructions.setImm(slot, address.lo);
  instructions.setImm(slot + 1, address.hi);
  if (symbol.kind === 'function') instructions.setOff(slot, symbol.index);
}

class Resolver {
  readonly functions: readonly Address[];

  constructor(
    private readonly maps: readonly MapSpec[],
    private readonly link: LinkAddresses,
    private readonly profile: Profile,
  ) {
    this.functions = link.functions.map(addressOf);
  }

  /** Null where the link does not tell. */
  symbol(symbol: SymbolRef): Address | null {
    switch (symbol.kind) {
      case 'function':
        return this.functions[symbol.index] ?? null;
      case 'kernel':
        return shift(this.kernel(symbol.name), symbol.addend);
      case 'map':
        return told(this.map(symbol.index)?.address);
      case 'mapValue':
        return shift(told(this.map(symbol.index)?.valueAddress), symbol.addend);
      case 'programAux':
        return shift(told(this.link.programAux), symbol.addend);
      default:
        return null;
    }
  }

  kernel(name: string): Address | null {
    const own = told(this.link.symbols.get(name));
    if (own !== null) return own;
    const known = this.profile.symbols.address(name);
    return known === null ? null : { hi: known[0] | 0, lo: known[1] | 0 };
  }

  /** Null where the program has no arena, or the link does not say where it is mapped in the kernel. */
  arena(mapIndex: number): ArenaAddresses | null {
    const map = this.map(mapIndex);
    const kernel = told(map?.kernelAddress);
    return map === null || kernel === null ? null : { kernel, user: addressOf(map.valueAddress) };
  }

  private map(index: number): MapAddresses | null {
    const spec = this.maps[index];
    if (spec === undefined) return null;
    const { maps } = this.link;
    return maps.get(spec.fullName) ?? maps.get(spec.name) ?? this.dataMap(spec.section);
  }

  /** libbpf names a data section's map after the object's file, which is not known here: the one that ends so. */
  private dataMap(section: string): MapAddresses | null {
    if (section === '') return null;
    const named = [...this.link.maps].filter(([name]) => name.endsWith(section));
    return named.length === 1 ? named[0]![1] : null;
  }
}

function told(address: bigint | undefined): Address | null {
  if (address === undefined) return null;
  const halves = addressOf(address);
  return isNull(halves) ? null : halves;
}

function shift(address: Address | null, addend: number): Address | null {
  return address === null ? null : addOffset(address, addend);
}
