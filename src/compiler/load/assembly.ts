/** One program: the function itself, and behind it those it calls, in the order of their first calls. */
import { Instructions } from '../isa/instructions.js';
import * as op from '../isa/opcodes.js';
import { E2BIG, ERRNO_RELOC, refuse } from './failure.js';
import type { ObjectProgram, Refusal, Relocation } from './model.js';
import { resolveReference } from './references.js';
import type { Relocated } from './relocate-types.js';

const INSN_BYTES = 8;

/** One function of the program: its own copy of the instructions, and where it lies in the whole. */
export interface Part {
  readonly program: ObjectProgram;
  readonly insns: Instructions;
  readonly offset: number;
  readonly relocations: ReadonlyMap<number, Relocation>;
}

/** What an assembly needs to know of its object. */
export interface FunctionSource {
  /** Counts instructions against what the object may grow to; false where that is too much. */
  take(count: number): boolean;
  /** A function's relocations by instruction. */
  relocationsOf(program: ObjectProgram): ReadonlyMap<number, Relocation>;
  /** The subprogram that holds a slot of .text, or null. */
  subprogramAt(slot: number): ObjectProgram | null;
}

/** One program while it is put together. */
export class Assembly {
  readonly parts: Part[] = [];
  private readonly placed = new Map<ObjectProgram, Part>();
  private length = 0;
  private readonly pending: { part: Part; next: number }[] = [];

  constructor(
    private readonly source: FunctionSource,
    readonly main: ObjectProgram,
    private readonly relocated: Relocated,
  ) {}

  /** Places the program and, walking its calls depth first, every function it calls. */
  addCalled(): Refusal | null {
    return this.addFunction(this.main);
  }

  /** Places a function and what it calls, unless it is placed already. */
  addFunction(program: ObjectProgram): Refusal | null {
    if (this.placed.has(program)) return null;
    const first = this.place(program);
    if ('ok' in first) return first;
    while (this.pending.length > 0) {
      const refusal = this.walk(this.pending.at(-1)!);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  /** Puts a function's instructions at the end of the program, to be walked next. */
  private place(program: ObjectProgram): Part | Refusal {
    if (!this.source.take(program.count)) {
      const message = `prog '${this.main.name}': programs of this object grow beyond 64 times its size`;
      return refuse('LIMIT', message, E2BIG, { symbol: program.name });
    }
    const insns = (this.relocated.get(program) ?? program.instructions).clone();
    const part = { program, insns, offset: this.length, relocations: this.source.relocationsOf(program) };
    for (const { instruction, target } of program.relocations) {
      if (target.kind === 'subprogram-address') insns.setSrc(instruction, op.PSEUDO_FUNC);
    }
    this.parts.push(part);
    this.placed.set(program, part);
    this.length += program.count;
    this.pending.push({ part, next: 0 });
    return part;
  }

  /** Goes on with a function up to the next call of one that is not placed yet, or to its end. */
  private walk(frame: { part: Part; next: number }): Refusal | null {
    const { part } = frame;
    while (frame.next < part.insns.length) {
      const i = frame.next++;
      if (!isSubprogramReference(part.insns, i)) continue;
      const relocation = part.relocations.get(i);
      if (relocation?.target.kind === 'extern-call') continue;
      const callee = this.calleeOf(part, i, relocation);
      if ('ok' in callee) return callee;
      const isNew = !this.placed.has(callee);
      const placed = this.placed.get(callee) ?? this.place(callee);
      if ('ok' in placed) return placed;
      part.insns.setImm(i, placed.offset - (part.offset + i) - 1);
      if (isNew) return null;
    }
    this.pending.pop();
    return null;
  }

  private calleeOf(part: Part, i: number, relocation: Relocation | undefined): ObjectProgram | Refusal {
    const { program, insns } = part;
    const bad = (message: string): Refusal => {
      const place = { section: program.section, symbol: program.name, instruction: i };
      return refuse('RELOCATION', `prog '${program.name}': ${message}`, ERRNO_RELOC, place);
    };
    let slot: number;
    if (relocation === undefined) {
      // A static function of the same section: the call is relative to where it was compiled.
      if (insns.opcode(i) === op.LD_IMM64) return bad(`missing subprog addr relo for insn #${i}`);
      slot = program.start + i + insns.imm(i) + 1;
    } else if (relocation.target.kind === 'call') {
      slot = relocation.target.offset / INSN_BYTES + insns.imm(i) + 1;
    } else if (relocation.target.kind === 'subprogram-address') {
      slot = (relocation.target.offset + insns.imm(i)) / INSN_BYTES;
    } else {
      return bad(`unexpected relo for insn #${i}`);
    }
    const callee = this.source.subprogramAt(slot);
    return callee ?? bad('no .text section found yet sub-program call exists');
  }

  /** Puts maps, variables and kernel symbols into the instructions that refer to them. */
  resolveData(): Refusal | null {
    for (const part of this.parts) {
      for (const relocation of part.program.relocations) {
        const refusal = resolveReference(part.program, part.insns, relocation);
        if (refusal !== null) return refusal;
      }
    }
    return null;
  }

  join(): Instructions {
    const whole = Instructions.alloc(this.length);
    for (const { insns, offset } of this.parts) whole.copyFrom(insns, 0, offset, insns.length);
    return whole;
  }

  /** Slots that load a map by a descriptor which the object itself spells out: whatever it is, it is none of its maps. */
  descriptors(): ReadonlySet<number> {
    const slots = new Set<number>();
    for (const { insns, offset, relocations } of this.parts) {
      for (let i = 0; i < insns.length; i++) {
        if (insns.opcode(i) !== op.LD_IMM64) continue;
        const src = insns.src(i);
        const isMap = src === op.PSEUDO_MAP_FD || src === op.PSEUDO_MAP_VALUE;
        if (isMap && !relocations.has(i)) slots.add(offset + i);
        i++;
      }
    }
    return slots;
  }
}

/** A call of a subprogram, or a load of its address. */
function isSubprogramReference(insns: Instructions, i: number): boolean {
  const opcode = insns.opcode(i);
  if (opcode === (op.JMP | op.CALL)) return insns.src(i) === op.PSEUDO_CALL && insns.dst(i) === 0 && insns.off(i) === 0;
  return opcode === op.LD_IMM64 && insns.src(i) === op.PSEUDO_FUNC;
}
