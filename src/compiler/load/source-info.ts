/** Function and line information of assembled programs, out of .BTF.ext (reloc_prog_func_and_line_info, libbpf 1.5). */
import type { ExtSection } from '../btf/ext.js';
import type { Budget } from '../core/budget.js';
import { ok, type Outcome } from '../outcome.js';
import { E2BIG, ENOENT, refuse } from './failure.js';
import type { ObjectModel, ObjectProgram } from './model.js';
import type { FuncInfo, LineInfo } from './program.js';

const INSN_BYTES = 8;

export interface ProgramInfo {
  readonly funcInfo: readonly FuncInfo[];
  readonly lineInfo: readonly LineInfo[];
}

/** A function of the program: its records move to `offset`. */
interface Placed {
  readonly program: ObjectProgram;
  readonly offset: number;
}

/** First record and number of records of a function. */
interface Range {
  readonly section: ExtSection;
  readonly first: number;
  readonly count: number;
}

export class SourceInfo {
  private readonly sectionIndices = new Map<string, number>();
  private readonly sorted = new Map<ExtSection, boolean>();
  private readonly funcInfo: ReadonlyMap<number, ExtSection>;
  private readonly lineInfo: ReadonlyMap<number, ExtSection>;

  constructor(
    private readonly model: ObjectModel,
    private readonly budget: Budget,
  ) {
    for (const section of model.elf.sections) {
      if (section.index !== 0 && !this.sectionIndices.has(section.name)) {
        this.sectionIndices.set(section.name, section.index);
      }
    }
    this.funcInfo = this.bySection(model.ext?.funcInfo ?? []);
    this.lineInfo = this.bySection(model.ext?.lineInfo ?? []);
  }

  /** Index of the first ELF section of that name, -1 where there is none. */
  sectionIndex(name: string): number {
    return this.sectionIndices.get(name) ?? -1;
  }

  /** Where records of several lists speak of one section, only the first list counts. */
  private bySection(sections: readonly ExtSection[]): ReadonlyMap<number, ExtSection> {
    const map = new Map<number, ExtSection>();
    for (const section of sections) {
      const index = this.sectionIndex(this.model.btf!.string(section.nameOff));
      if (index >= 0 && !map.has(index)) map.set(index, section);
    }
    return map;
  }

  /** The records of all functions, in order. A program without any goes without; one of which only a part has some fails. */
  collect(main: ObjectProgram, parts: readonly Placed[]): Outcome<ProgramInfo> {
    const funcRanges = this.rangesOf(this.funcInfo, main, parts, 'function');
    if (!funcRanges.ok) return funcRanges;
    const lineRanges = this.rangesOf(this.lineInfo, main, parts, 'line');
    if (!lineRanges.ok) return lineRanges;
    const funcInfo: FuncInfo[] = [];
    for (const { range, move } of funcRanges.value) {
      forEachRecord(range, (words, at) => {
        funcInfo.push({ instruction: Math.floor(words[at]! / INSN_BYTES) + move, typeId: words[at + 1]! });
      });
    }
    const lineInfo: LineInfo[] = [];
    for (const { range, move } of lineRanges.value) {
      forEachRecord(range, (words, at) => {
        lineInfo.push({
          instruction: Math.floor(words[at]! / INSN_BYTES) + move,
          fileNameOff: words[at + 1]!,
          lineOff: words[at + 2]!,
          lineCol: words[at + 3]!,
        });
      });
    }
    return ok({ funcInfo, lineInfo });
  }

  private rangesOf(
    sections: ReadonlyMap<number, ExtSection>,
    main: ObjectProgram,
    parts: readonly Placed[],
    what: string,
  ): Outcome<{ range: Range; move: number }[]> {
    const ranges: { range: Range; move: number }[] = [];
    for (const { program, offset } of parts) {
      const section = sections.get(program.sectionIndex);
      const range = section === undefined ? null : this.find(section, program);
      if (range === 'limit') return refuse('LIMIT', `too much ${what} information`, E2BIG, { symbol: main.name });
      if (range === null) {
        if (program === main) return ok([]);
        const message = `prog '${program.name}': missing .BTF.ext ${what} info.`;
        return refuse('BTF_EXT_INVALID', message, ENOENT, { section: program.section, symbol: program.name });
      }
      ranges.push({ range, move: offset - program.start });
    }
    return ok(ranges);
  }

  /** The run of records from the function's first instruction on, up to one behind its last. */
  private find(section: ExtSection, { start, count }: ObjectProgram): Range | 'limit' | null {
    const slotAt = (i: number): number => Math.floor(section.words[section.start + i * section.stride]! / INSN_BYTES);
    let first = this.isSorted(section, slotAt) ? lowerBound(section.count, (i) => slotAt(i) >= start) : 0;
    // Unsorted records are searched as libbpf does, which takes time that must not add up.
    while (first < section.count && slotAt(first) < start) {
      if (!this.budget.spend(1)) return 'limit';
      first++;
    }
    let end = first;
    let last = first - 1;
    while (end < section.count && slotAt(end) < start + count) {
      if (!this.budget.spend(1)) return 'limit';
      if (slotAt(end) >= start) last = end;
      end++;
    }
    return last < first ? null : { section, first, count: last - first + 1 };
  }

  private isSorted(section: ExtSection, slotAt: (i: number) => number): boolean {
    let known = this.sorted.get(section);
    if (known === undefined) {
      known = true;
      for (let i = 1; i < section.count && known; i++) known = slotAt(i - 1) <= slotAt(i);
      this.sorted.set(section, known);
    }
    return known;
  }
}

/** The first index that holds a monotonic condition, or `count`. */
function lowerBound(count: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function forEachRecord({ section, first, count }: Range, visit: (words: Uint32Array, at: number) => void): void {
  for (let i = first; i < first + count; i++) visit(section.words, section.start + i * section.stride);
}
