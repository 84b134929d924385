/** One request for several kernels: each answer is made, and kept, as if it had been asked for alone; here they come together. */
import type { Answer } from './cache/entry.js';
import { writeJson } from './contract/json-write.js';
import type { CompileRequestMessage, TargetMessage } from './contract/messages.js';
import { CompileResponseType, ProgramComparisonType, encode, type Message } from './contract/schema.js';
import { ServiceError } from './errors.js';

/** The requests that this one stands for, in its order. `targets` are not empty. */
export function eachTarget(request: CompileRequestMessage): readonly CompileRequestMessage[] {
  const { targets = [], ...shared } = request;
  return targets.map((target: TargetMessage) => ({ ...shared, target }));
}

/** A refusal of one of them names the target among the others. */
export function atTarget(error: unknown, index: number): unknown {
  if (!(error instanceof ServiceError) || error.place.field?.startsWith('target.') !== true) return error;
  const field = error.place.field.replace(/^target\./, `targets[${index}].`);
  return new ServiceError(error.code, error.detail, { ...error.place, field });
}

/** What is read of an answer to compare it. */
interface ProgramAnswer {
  readonly name: string;
  readonly section: string;
  readonly accepted: boolean;
  readonly errno: number;
  readonly failure?: { readonly code: string; readonly message: string } | null;
  readonly log: string;
  readonly translated: Uint8Array;
  readonly functions: readonly { readonly code: Uint8Array; readonly exceptionTable: readonly { raw: Uint8Array }[] }[];
}

/** The answers as one, in both encodings: their own bytes, with what was compared behind them. */
export function composed(digest: string, answers: readonly Answer[], jsonOf: (index: number) => Uint8Array): Answer {
  const decoded = answers.map(({ protobuf }) => {
    return (CompileResponseType.decode(protobuf) as unknown as { programs: ProgramAnswer[] }).programs;
  });
  const comparisons = compare(decoded);
  const head = encode(CompileResponseType, { digest });
  const tail = encode(CompileResponseType, { comparisons });
  const parts = answers.flatMap(({ protobuf }) => [memberHead(ANSWERS, protobuf.length), protobuf]);
  return {
    protobuf: Buffer.concat([head, ...parts, tail]),
    json: jsonText(
      digest,
      answers.map((_, i) => jsonOf(i)),
      comparisons,
    ),
    failed: false,
  };
}

const ANSWERS = CompileResponseType.fields['answers']!.id;
/** Wire type of what begins with its length. */
const LENGTH_DELIMITED = 2;

/** Tag and length of an embedded message. */
function memberHead(field: number, length: number): Uint8Array {
  const bytes: number[] = [];
  for (const value of [(field << 3) | LENGTH_DELIMITED, length]) {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function jsonText(digest: string, answers: readonly Uint8Array[], comparisons: readonly Message[]): Buffer {
  const text = new TextEncoder();
  const comma = text.encode(',');
  const written = comparisons.map((one) => writeJson(ProgramComparisonType, one));
  return Buffer.concat([
    text.encode(`{"digest":${JSON.stringify(digest)},"answers":[`),
    ...answers.flatMap((answer, i) => (i === 0 ? [answer] : [comma, answer])),
    text.encode(`]${written.length === 0 ? '' : `,"comparisons":${JSON.stringify(written)}`}}`),
  ]);
}

/** Programs in the order in which the answers first name them. */
function compare(answers: readonly (readonly ProgramAnswer[])[]): Message[] {
  const programs = new Map<string, { index: number; program: ProgramAnswer }[]>();
  answers.forEach((list, index) => {
    for (const program of list) {
      const name = `${program.section}\0${program.name}`;
      const found = programs.get(name);
      if (found === undefined) programs.set(name, [{ index, program }]);
      else found.push({ index, program });
    }
  });
  return [...programs.values()].map((sides) => {
    const accepted = sides.filter(({ program }) => program.accepted);
    const { name, section } = sides[0]!.program;
    return {
      ...{ name, section },
      verdicts: groups(sides, verdictOf).map(({ answers: same, first }) => ({ answers: same, ...spoken(first) })),
      logs: groups(sides, ({ log }) => log).map(indices),
      translated: groups(accepted, ({ translated }) => latin1(translated)).map(indices),
      code: groups(accepted, codeOf).map(indices),
    };
  });
}

interface Group {
  readonly answers: number[];
  readonly first: ProgramAnswer;
}
const indices = ({ answers }: Group): Message => ({ answers });

/** Sides of equal keys, in the order of their first ones. */
function groups(
  sides: readonly { readonly index: number; readonly program: ProgramAnswer }[],
  key: (program: ProgramAnswer) => string,
): readonly Group[] {
  const found = new Map<string, Group>();
  for (const { index, program } of sides) {
    const name = key(program);
    const group = found.get(name);
    if (group === undefined) found.set(name, { answers: [index], first: program });
    else group.answers.push(index);
  }
  return [...found.values()];
}

const spoken = ({ accepted, errno, failure }: ProgramAnswer): Message => ({
  ...{ accepted, errno, code: failure?.code ?? '', message: failure?.message ?? '' },
});
const verdictOf = (program: ProgramAnswer): string => JSON.stringify(spoken(program));
const codeOf = ({ functions }: ProgramAnswer): string => {
  const parts = functions.map(({ code, exceptionTable }) => [
    latin1(code),
    ...exceptionTable.map((e) => latin1(e.raw)),
  ]);
  return JSON.stringify(parts);
};
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
