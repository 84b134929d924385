/** The text form of an answer: verdict, log, and the code with exception entries, relocations and source marked. */
import type { AnswerJson, FailureJson, FunctionJson, ProgramJson, RelocationJson } from './answer.js';
import { disassemble } from './disassemble.js';

export async function answerText(answer: AnswerJson): Promise<string> {
  const parts: string[] = [];
  if (answer.failure !== undefined && (answer.programs ?? []).length === 0) {
    parts.push(`could not be loaded: ${failureText(answer.failure)}\n`);
  }
  for (const program of answer.programs ?? []) parts.push(await programText(program, answer.target?.architecture));
  return parts.join('\n');
}

async function programText(program: ProgramJson, architecture: string | undefined): Promise<string> {
  const type = String(program.type ?? '')
    .replace('BPF_PROG_TYPE_', '')
    .toLowerCase();
  const where = [type, program.section].filter((part) => part !== undefined && part !== '').join(', ');
  const verdict = program.accepted ? 'accepted' : `rejected (errno ${program.errno})`;
  let text = `${program.name ?? ''}${where === '' ? '' : ` (${where})`}: ${verdict}\n`;
  if (program.failure !== undefined) text += `  ${failureText(program.failure)}\n`;
  if (program.log !== undefined) text += `\n${indent(program.log.trimEnd())}\n`;
  for (const [index, fn] of (program.functions ?? []).entries()) {
    const relocations = (program.relocations ?? []).filter((relocation) => (relocation.function ?? 0) === index);
    text += `\n${await functionText(fn, relocations, architecture)}`;
  }
  return text;
}

/** Stage, code, message and place, in a line. */
export function failureText(failure: FailureJson): string {
  const place = [
    failure.instruction === undefined ? '' : `instruction ${failure.instruction}`,
    failure.section === undefined ? '' : `section ${failure.section}`,
    failure.symbol === undefined ? '' : `symbol ${failure.symbol}`,
    failure.offset === undefined ? '' : `offset ${failure.offset}`,
    failure.source ?? '',
  ].filter((part) => part !== '');
  const at = place.length === 0 ? '' : ` (${place.join(', ')})`;
  const message = (failure.message ?? '').replaceAll('\n', '; ');
  return `${failure.stage ?? ''} ${failure.code ?? ''}: ${message}${at}`.trim();
}

/**
 *     name: 96 bytes at 0xffff800080000000
 *         ; prog.c:7 total = task->mm->total_vm
 *         3: r1 = *(u64 *)(r1 +24)
 *       18: f9400c21  ldr x1, [x1, #0x18]    ! fault: x1 = 0, on at 1c
 */
async function functionText(
  fn: FunctionJson,
  relocations: readonly RelocationJson[],
  architecture: string | undefined,
): Promise<string> {
  const code = Buffer.from(fn.code ?? '', 'base64');
  const faults = new Map((fn.exceptionTable ?? []).map((entry) => [entry.offset ?? 0, entry]));
  const fixups = new Map(relocations.map((relocation) => [relocation.offset ?? 0, relocation]));
  const sources = new Map((fn.lines ?? []).map((line) => [line.offset ?? 0, line]));
  const at = fn.address === undefined ? '' : ` at ${fn.address}`;
  let text = `${fn.name ?? ''}: ${code.length} bytes${at}\n`;
  const instructions = fn.instructions ?? [];
  let next = 0;
  let shown = '';
  for (const line of await disassemble(code, architecture)) {
    const source = sources.get(line.offset);
    const heading =
      source?.file === undefined ? '' : `; ${source.file}:${source.line ?? 0} ${source.text?.trim() ?? ''}`;
    if (heading !== '' && heading !== shown) text += `    ${(shown = heading).trimEnd()}\n`;
    for (; next < instructions.length && (instructions[next]!.offset ?? 0) <= line.offset; next++) {
      text += `    ${instructions[next]!.slot ?? 0}: ${instructions[next]!.text ?? ''}\n`;
    }
    const offset = line.offset.toString(16).padStart(6);
    const notes = [faultNote(faults.get(line.offset)), relocationNote(fixups.get(line.offset))].filter((n) => n !== '');
    const body = `${offset}: ${line.encoding.padEnd(8)}  ${line.text}`;
    text += `${notes.length === 0 ? body : `${body.padEnd(56)} ${notes.join(' ')}`}\n`;
  }
  return text;
}

function faultNote(entry: { readonly resume?: number; readonly registerName?: string } | undefined): string {
  if (entry === undefined) return '';
  const { registerName = '' } = entry;
  const zeroed = registerName === '' ? '' : `${registerName} = 0, `;
  return `! fault: ${zeroed}on at ${(entry.resume ?? 0).toString(16)}`;
}

function relocationNote(relocation: RelocationJson | undefined): string {
  if (relocation === undefined) return '';
  const symbol =
    relocation.symbol === undefined || relocation.symbol === '' ? String(relocation.index ?? 0) : relocation.symbol;
  return `@ ${relocation.type ?? ''} ${relocation.kind ?? ''} ${symbol}`;
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ');
