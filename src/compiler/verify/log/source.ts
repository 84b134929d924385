/** Source lines in the log: "; line @ file.c:12". */
import type { Env } from '../env.js';
import type { LineInfo } from '../../load/program.js';

/** The kernel formats a line into a buffer of 1024 bytes. */
const MAX_LINE = 1023;

/** Index of the line information that covers an instruction, -1 for none. */
export function findLineInfo(env: Env, insn: number): number {
  const lines = env.lineInfo;
  if (lines === null || lines.length === 0 || insn >= env.insns.length) return -1;
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = low + ((high - low + 1) >> 1);
    if (lines[middle]!.instruction <= insn) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function lineNumber(info: LineInfo): number {
  return info.lineCol >>> 10;
}

/** File name without its folders, and line: "file.c:12". */
export function sourcePlace(env: Env, info: LineInfo): string {
  const file = env.btf?.string(info.fileNameOff) ?? '';
  return `${file.slice(file.lastIndexOf('/') + 1)}:${lineNumber(info)}`;
}

/** The source line of an instruction that is entered, or null where it is the one before. */
function nextLine(env: Env, insn: number): LineInfo | null {
  const at = findLineInfo(env, insn);
  if (at < 0 || at === env.prevLineInfo) return null;
  const info = env.lineInfo![at]!;
  const previous = env.prevLineInfo < 0 ? null : env.lineInfo![env.prevLineInfo]!;
  if (previous?.fileNameOff === info.fileNameOff && lineNumber(previous) === lineNumber(info)) return null;
  env.prevLineInfo = at;
  return info;
}

/** An instruction is passed without being printed: its source line, where it has a new one, counts as written. */
export function passSourceLine(env: Env, insn: number): void {
  nextLine(env, insn);
}

/** The same, and how many characters the line has in the log. */
export function countSourceLine(env: Env, insn: number): number {
  const info = nextLine(env, insn);
  if (info === null) return 0;
  return (env.lineLengths[env.prevLineInfo] ??= lineText(env, info, '; ').length);
}

function lineText(env: Env, info: LineInfo, prefix: string): string {
  const line = (env.btf?.string(info.lineOff) ?? '').replace(/^[\t-\r \u00a0]+/, '').slice(0, MAX_LINE);
  return `${prefix}${line} @ ${sourcePlace(env, info)}\n`;
}

/** Writes the source line of an instruction, unless it was the one written last (verbose_linfo). */
export function writeSourceLine(env: Env, insn: number, prefix: string): void {
  if (env.log.level === 0) return;
  const info = nextLine(env, insn);
  if (info === null) return;
  env.log.write(lineText(env, info, prefix));
}
