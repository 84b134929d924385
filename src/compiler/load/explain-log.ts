/**
 * What libbpf makes of a rejected program's log: where the verifier stumbled over an instruction that libbpf had poisoned,
 * the two lines about it say what was missing instead (fixup_verifier_log, libbpf 1.5).
 */
import { POISON_HELPER } from '../core/patch.js';
import type { Instructions } from '../isa/instructions.js';
import { CALL, JMP } from '../isa/opcodes.js';
import type { Failure } from '../outcome.js';

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

/** What a poisoned call stands for. */
interface Missing {
  readonly code: 'UNRESOLVED_RELOCATION' | 'CALL_NOT_ALLOWED' | 'MAP_NOT_ALLOWED';
  readonly place: string;
  readonly message: string;
}

/** The rejection of a poisoned call says what was missing instead, and is of that class. */
export function explainFailure(failure: Failure, instructions: Instructions, notes: PoisonNotes): Failure {
  const { instruction, code } = failure;
  if (instruction === undefined || code !== 'CALL_NOT_ALLOWED') return failure;
  if (instructions.opcode(instruction) !== (JMP | CALL) || instructions.src(instruction) !== 0) return failure;
  const missing = missingAt(instruction, instructions.imm(instruction), notes);
  return missing === null ? failure : { ...failure, code: missing.code, message: missing.message };
}

/** The log as libbpf hands it on. */
export function explainLog(log: string, notes: PoisonNotes): string {
  let next = log.length;
  for (let i = 0; i < LAST_LINES; i++) {
    const line = previousLine(log, next);
    if (line < 0) return log;
    const previous = previousLine(log, line);
    const poison = /^invalid func unknown#(195896080\n|200100|2002)/.exec(log.slice(line, line + 40));
    if (poison !== null && previous >= 0) {
      const patch = explain(log.slice(previous, line), notes);
      return patch === null ? log : log.slice(0, previous) + patch + log.slice(next);
    }
    next = line;
  }
  return log;
}

/** Start of the line that ends before `end`, or -1 at the log's start. */
function previousLine(log: string, end: number): number {
  return end === 0 ? -1 : end === 1 ? 0 : log.lastIndexOf('\n', end - 2) + 1;
}

/** The text instead of a poisoned call's line and the complaint about it, or null where libbpf leaves them. */
function explain(line: string, notes: PoisonNotes): string | null {
  const call = /^\s*(-?\d+): \(\s*\d+\) call unknown#(\d+)/.exec(line);
  if (call === null) return null;
  const instruction = Number(call[1]);
  const missing = missingAt(instruction, Number(call[2]), notes);
  if (missing === null) return null;
  const length = missing.code === 'UNRESOLVED_RELOCATION' ? MAX_CORE_PATCH : MAX_NAME_PATCH;
  return `${instruction}: <invalid ${missing.place}>\n${missing.message}\n`.slice(0, length);
}

/** What the call of `helper` at an instruction stands for, null where it is no poison that is known of. */
function missingAt(instruction: number, helper: number, notes: PoisonNotes): Missing | null {
  if (helper === POISON_HELPER) {
    const relocation = notes.relocations.get(instruction);
    if (relocation === undefined) return null;
    const message = `failed to resolve CO-RE relocation ${relocation}`;
    return { code: 'UNRESOLVED_RELOCATION', place: 'CO-RE relocation', message };
  }
  const extern = notes.externs[helper - POISON_KFUNC_BASE];
  if (extern !== undefined) {
    const message = `kfunc '${extern}' is referenced but wasn't resolved`;
    return { code: 'CALL_NOT_ALLOWED', place: 'kfunc call', message };
  }
  const map = notes.maps[helper - POISON_MAP_BASE];
  if (map === undefined) return null;
  const message = `BPF map '${map}' is referenced but wasn't created`;
  return { code: 'MAP_NOT_ALLOWED', place: 'BPF map reference', message };
}
