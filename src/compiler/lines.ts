/** Source lines of machine code: line information carried through the rewrites and the JIT. */
import type { Btf } from './btf/btf.js';
import type { CompiledFunction } from './jit/program.js';
import type { LineEntry } from './messages.js';
import type { Rewritten, TranslatedLine } from './rewrite/rewrite.js';

/** struct bpf_line_info packs line and column into one word. */
const COLUMN_BITS = 10;
const COLUMN_MASK = (1 << COLUMN_BITS) - 1;

function entry(btf: Btf, line: TranslatedLine, offset: number, original: number): LineEntry {
  const { fileNameOff, lineOff, lineCol } = line.info;
  return {
    offset,
    translated: line.instruction,
    instruction: original,
    file: btf.string(fileNameOff),
    line: lineCol >>> COLUMN_BITS,
    column: lineCol & COLUMN_MASK,
    text: btf.string(lineOff).trimStart(),
  };
}

/** The lines of one function of the program, by ascending code offset; none where the program brought no information. */
export function lineEntries(btf: Btf | null, program: Rewritten, index: number, code: CompiledFunction): LineEntry[] {
  if (btf === null) return [];
  const start = program.functionStarts[index]!;
  const end = program.functionStarts[index + 1] ?? program.original.length;
  const entries: LineEntry[] = [];
  for (const line of program.lines) {
    if (line.instruction < start || line.instruction >= end) continue;
    const offset = code.offsets[line.instruction - start]!;
    entries.push(entry(btf, line, offset, program.original[line.instruction]!));
  }
  return entries;
}
