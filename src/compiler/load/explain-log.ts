/**
 * What libbpf makes of a rejected program's log: where the verifier stumbled over an instruction that libbpf had poisoned,
 * the two lines about it say what was missing instead (fixup_verifier_log, libbpf 1.5).
 */
import { POISON_HELPER } from '../core/patch.js';

/** Calls that stand where libbpf found no map or kernel function. */
export const POISON_MAP_BASE = 2_001_000_000;
export const POISON_KFUNC_BASE = 2_002_000_000;

/** What the poisoned instructions of a program were. */
export interface PoisonNotes {
  /** Instruction → the CO-RE relocation that failed, as libbpf prints it. */
  readonly relocations: ReadonlyMap<number, string>;
  /** Names of the object's maps and externs, which poisons count in. */
  readonly maps: readonly string[];
  readonly externs: readonly string[];
}

/** libbpf looks at this many last lines. */
const LAST_LINES = 10;
const MAX_CORE_PATCH = 511;
const MAX_NAME_PATCH = 127;

export interface ExplainedLog {
  readonly log: string;
  /** What was missing, where that explains the rejection; else null. */
  readonly message: string | null;
}

/** The log as libbpf hands it on. */
export function explainLog(log: string, notes: PoisonNotes): ExplainedLog {
  const unchanged = { log, message: null };
  let next = log.length;
  for (let i = 0; i < LAST_LINES; i++) {
    const line = previousLine(log, next);
    if (line < 0) return unchanged;
    const previous = previousLine(log, line);
    const poison = /^invalid func unknown#(195896080\n|200100|2002)/.exec(log.slice(line, line + 40));
    if (poison !== null && previous >= 0) {
      const patch = explain(log.slice(previous, line), poison[1]!, notes);
      if (patch === null) return unchanged;
      const message = patch.split('\n')[1] ?? null;
      return { log: log.slice(0, previous) + patch + log.slice(next), message };
    }
    next = line;
  }
  return unchanged;
}

/** Start of the line that ends before `end`, or -1 at the log's start. */
function previousLine(log: string, end: number): number {
  return end === 0 ? -1 : end === 1 ? 0 : log.lastIndexOf('\n', end - 2) + 1;
}

/** The text instead of a poisoned call's line and the complaint about it, or null where libbpf leaves them. */
function explain(line: string, poison: string, notes: PoisonNotes): string | null {
  const call = /^\s*(-?\d+): \(\s*\d+\) call unknown#(\d+)/.exec(line);
  if (call === null) return null;
  const instruction = Number(call[1]);
  const helper = Number(call[2]);
  if (poison.startsWith(String(POISON_HELPER))) {
    const relocation = helper === POISON_HELPER ? notes.relocations.get(instruction) : undefined;
    if (relocation === undefined) return null;
    const what = `failed to resolve CO-RE relocation ${relocation}`;
    return `${instruction}: <invalid CO-RE relocation>\n${what}\n`.slice(0, MAX_CORE_PATCH);
  }
  return poison === '2002'
    ? named(`${instruction}: <invalid kfunc call>\nkfunc`, notes.externs[helper - POISON_KFUNC_BASE], "wasn't resolved")
    : named(
        `${instruction}: <invalid BPF map reference>\nBPF map`,
        notes.maps[helper - POISON_MAP_BASE],
        "wasn't created",
      );
}

function named(start: string, name: string | undefined, end: string): string | null {
  return name === undefined ? null : `${start} '${name}' is referenced but ${end}\n`.slice(0, MAX_NAME_PATCH);
}
