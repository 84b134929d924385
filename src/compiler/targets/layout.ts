import {
  ACCESS_READ,
  ACCESS_WRITE,
  REGISTER_DST,
  REGISTER_SRC,
  type AccessRow,
  type ContextData,
  type LayoutRecord,
  type TemplateInstruction,
} from './data.js';
import type { ContextAccess, ContextLayout } from './profile.js';

/** Pairs of registers that a choice tells apart: none is the frame pointer. */
const REGISTERS = 10;
const CLASS_MASK = 0x07;
const CLASS_ST = 0x02;
const SIZE_MASK = 0x18;

interface Conversion {
  readonly notes: number;
  readonly targetSize: number;
  readonly choice: number;
}

/** A recorded context: rows of allowed accesses, and templates of what they become. */
export class RecordedLayout implements ContextLayout {
  private readonly byMode: AccessRow[][] = [[], [], []];
  private readonly conversions = new Map<number, Conversion[]>();
  readonly isBtf: boolean;

  constructor(
    private readonly data: ContextData,
    private readonly record: LayoutRecord,
  ) {
    this.isBtf = record.btf;
    for (const row of record.access) this.byMode[row[0]]!.push(row);
    for (const [opcode, offset, notes, targetSize, choice] of record.convert) {
      const key = offset * 256 + opcode;
      const all = this.conversions.get(key);
      if (all === undefined) this.conversions.set(key, [{ notes, targetSize, choice }]);
      else all.unshift({ notes, targetSize, choice });
    }
  }

  access(off: number, size: number, write: boolean): ContextAccess | null {
    for (const row of this.byMode[write ? ACCESS_WRITE : ACCESS_READ]!) {
      const [, width, first, last, step, regType, fieldSize, btfId, notes] = row;
      if (width !== size || off < first || off > last || (off - first) % step !== 0) continue;
      return { regType, btfId, fieldSize, targetSize: this.targetSize(off, size, fieldSize), notes };
    }
    return null;
  }

  convert(opcode: number, dst: number, src: number, off: number, imm: number, notes = 0): Uint8Array | null {
    const all = this.conversions.get(off * 256 + normalOpcode(opcode));
    const found = all?.find((c) => c.notes === 0 || (c.notes & notes) !== 0);
    if (found === undefined) return null;
    const template = this.template(found.choice, dst, (opcode & CLASS_MASK) === CLASS_ST ? -1 : src);
    return encode(template, dst, src, imm);
  }

  prologue(directWrite: boolean): Uint8Array | null {
    const template = this.record.prologue[directWrite ? 1 : 0];
    return template < 0 ? null : encode(this.data.templates[template]!, 0, 0, 0);
  }

  /** Size of the kernel's own field behind an access that is widened to `fieldSize`. */
  private targetSize(off: number, size: number, fieldSize: number): number {
    const width = Math.max(size, fieldSize);
    const aligned = fieldSize > size ? off & ~(fieldSize - 1) : off;
    const load = 0x61 | (width === 1 ? 0x10 : width === 2 ? 0x08 : width === 8 ? 0x18 : 0);
    return this.conversions.get(aligned * 256 + load)?.at(-1)?.targetSize ?? 0;
  }

  private template(choice: number, dst: number, src: number): readonly TemplateInstruction[] {
    if (choice < 0) return this.data.templates[~choice]!;
    const runs = this.data.choices[choice]!;
    let left = src < 0 ? dst : dst * REGISTERS + src;
    for (let i = 0; i < runs.length; i += 2) {
      if (left < runs[i + 1]!) return this.data.templates[runs[i]!]!;
      left -= runs[i + 1]!;
    }
    throw new RangeError(`no conversion for r${dst} and r${src}`);
  }
}

/** Loads, stores and stores of immediates by size alone: what stands for them in the data. */
function normalOpcode(opcode: number): number {
  return 0x60 | (opcode & SIZE_MASK) | (opcode & CLASS_MASK);
}

function encode(template: readonly TemplateInstruction[], dst: number, src: number, imm: number): Uint8Array {
  const bytes = new Uint8Array(template.length * 8);
  const view = new DataView(bytes.buffer);
  const register = (r: number): number => (r === REGISTER_DST ? dst : r === REGISTER_SRC ? src : r);
  template.forEach(([opcode, d, s, offset, immediate], i) => {
    view.setUint8(8 * i, opcode);
    view.setUint8(8 * i + 1, register(d) | (register(s) << 4));
    view.setInt16(8 * i + 2, offset, true);
    view.setInt32(8 * i + 4, immediate ?? imm, true);
  });
  return bytes;
}
