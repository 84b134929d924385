/**
 * Patching as the kernel does it (bpf_patch_insn_data, bpf_remove_insns): one place at a time, every jump of the program
 * looked at each time. Slow and simple: what splice() and remove() are held against.
 */

export interface SimpleInstruction {
  /** What it is, to recognise it by. */
  readonly label: string;
  /** Distance of a jump, call or function address; null for all others. */
  off: number | null;
}

export interface SimpleProgram {
  insns: SimpleInstruction[];
  /** Where functions start. */
  starts: number[];
  /** Where source lines start: label and place. */
  lines: { label: string; at: number }[];
}

/** Instruction `at` is replaced by `patch`. */
export function patchOne(program: SimpleProgram, at: number, patch: readonly SimpleInstruction[]): void {
  const grown = patch.length - 1;
  program.insns.splice(at, 1, ...patch);
  program.insns.forEach((insn, i) => {
    if (insn.off === null) return;
    if (i < at && i + insn.off + 1 > at) insn.off += grown;
    else if (i > at + grown && i + insn.off + 1 <= at + grown) insn.off -= grown;
  });
  program.starts = program.starts.map((start) => (start <= at ? start : start + grown));
  for (const line of program.lines) if (line.at > at) line.at += grown;
}

/** Instructions [at, at + count) go. */
export function removeRange(program: SimpleProgram, at: number, count: number): void {
  program.insns.splice(at, count);
  program.insns.forEach((insn, i) => {
    if (insn.off === null) return;
    if (i < at && i + insn.off + 1 >= at + count) insn.off -= count;
    else if (i >= at && i + insn.off + 1 < at) insn.off += count;
  });
  removeStarts(program, at, count);
  removeLines(program, at, count);
}

function removeStarts(program: SimpleProgram, at: number, count: number): void {
  const ends = [...program.starts.slice(1), program.insns.length + count];
  program.starts = program.starts
    .filter((start, k) => !(start >= at && ends[k]! <= at + count))
    .map((start) => (start >= at + count ? start - count : start));
}

function removeLines(program: SimpleProgram, at: number, count: number): void {
  const inside = program.lines.filter((line) => line.at >= at && line.at < at + count);
  const heir = inside.at(-1);
  const next = program.lines.some((line) => line.at === at + count);
  const isTail = program.insns.length === at;
  program.lines = program.lines.filter((line) => !inside.includes(line) || (line === heir && !next && !isTail));
  for (const line of program.lines) {
    if (line === heir) line.at = at;
    else if (line.at >= at + count) line.at -= count;
  }
}
