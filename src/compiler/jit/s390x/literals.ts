/**
 * The literal pools behind a function's code: numbers of 32 bits, then of 64, in the order in which the code comes to need
 * them, equal ones once for each use, as Linux has it.
 */
import type { Address } from '../address.js';
import type { CodeRelocation, SymbolRef } from '../program.js';
import type { CodeBuffer } from './code-buffer.js';

/** A 64-bit absolute address (ELF Application Binary Interface, s390x Supplement). */
const ABSOLUTE = 'R_390_64';

export class Literals {
  private readonly words: number[] = [];
  /** Upper and lower half, alternating. */
  private readonly doubles: number[] = [];
  /** Places in `doubles` that only a linker knows. */
  private readonly symbols = new Map<number, SymbolRef>();

  clear(): void {
    this.words.length = 0;
    this.doubles.length = 0;
    this.symbols.clear();
  }

  /** Bytes of the 32-bit pool so far. */
  get bytes32(): number {
    return 4 * this.words.length;
  }

  get bytes64(): number {
    return 4 * this.doubles.length;
  }

  add32(value: number): void {
    this.words.push(value);
  }

  add64(hi: number, lo: number): void {
    this.doubles.push(hi, lo);
  }

  addSymbol(symbol: SymbolRef): void {
    this.symbols.set(this.doubles.length, symbol);
    this.doubles.push(0, 0);
  }

  /** Writes both pools, and notes what a linker has to fill in. */
  write(code: CodeBuffer, at32: number, at64: number, relocations: CodeRelocation[]): void {
    code.padTo(at32);
    code.reserve(this.bytes32);
    for (const word of this.words) code.word(word);
    code.padTo(at64);
    code.reserve(this.bytes64);
    for (const half of this.doubles) code.word(half);
    for (const [index, symbol] of this.symbols) relocations.push(relocation(at64 + 4 * index, symbol));
  }
}

/** An 8-byte address at `offset` that a linker fills in. */
export function relocation(offset: number, symbol: SymbolRef, addend = 0): CodeRelocation {
  return { offset, type: ABSOLUTE, symbol, addend: addend + ('addend' in symbol ? symbol.addend : 0) };
}

/** Writes an 8-byte address, or leaves it to a linker where it is not known. */
export function putAddress(
  code: CodeBuffer,
  address: Address | null,
  relocations: CodeRelocation[],
  symbol: SymbolRef,
  addend: number,
): void {
  if (address === null) relocations.push(relocation(code.length, symbol, addend));
  code.word(address?.hi ?? 0);
  code.word(address?.lo ?? 0);
}
