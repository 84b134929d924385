/**
 * The messages of proto/ as the client's TypeScript: what is answered with every member there, what is asked with all of
 * them optional (`…Init`), and a table by which JSON is turned into these and back.
 */
import protobuf from 'protobufjs';
import { ERRORS } from '../src/service/errors.js';
import { schema } from '../src/service/contract/schema.js';

const ASKED = ['CompileRequest', 'SubmitJobRequest'];
const ANSWERED = ['CompileResponse', 'ListTargetsResponse', 'UploadBtfResponse', 'Job'];

/** These messages and all that stand in them, in the order in which they are met. */
function reachable(roots: readonly string[]): Map<string, protobuf.Type | protobuf.Enum> {
  const found = new Map<string, protobuf.Type | protobuf.Enum>();
  const visit = (type: protobuf.Type | protobuf.Enum): void => {
    if (found.has(nameOf(type))) return;
    found.set(nameOf(type), type);
    if (type instanceof protobuf.Type) {
      for (const { resolvedType } of fieldsOf(type)) if (resolvedType !== null) visit(resolvedType as protobuf.Type);
    }
  };
  for (const name of roots) visit(schema.lookupType(`bpfjit.v1.${name}`));
  return found;
}

const fieldsOf = (type: protobuf.Type): protobuf.Field[] =>
  type.fieldsArray.map((field) => field.resolve()).sort((a, b) => a.id - b.id);

const comment = (text: string | null, indent: string): string =>
  text === null || text === '' ? '' : `${indent}/** ${text.replaceAll('\n', `\n${indent} * `)} */\n`;

/** Whether it may be absent from an answer, rather than have its default. */
const isOptional = (field: protobuf.Field): boolean =>
  !field.repeated &&
  !(field instanceof protobuf.MapField) &&
  (field.hasPresence || field.resolvedType instanceof protobuf.Type);

/** Nested types bear the name of what they stand in. */
const nameOf = ({ name, parent }: protobuf.Type | protobuf.Enum): string =>
  parent instanceof protobuf.Type ? `${parent.name}${name}` : name;

function kindOf({ type, resolvedType }: protobuf.Field): string {
  if (resolvedType instanceof protobuf.Enum) return `enum ${nameOf(resolvedType)}`;
  if (resolvedType !== null) return resolvedType.name;
  if (type === 'uint64' || type === 'int64') return 'long';
  return /int32|double|float/.test(type) ? 'number' : type === 'bool' ? 'boolean' : type;
}

/** `init`: as it is asked. 64-bit numbers are decimal text. */
function typeOf(field: protobuf.Field, init: boolean): string {
  const kind = kindOf(field);
  const { resolvedType } = field;
  const single =
    resolvedType instanceof protobuf.Enum
      ? `${nameOf(resolvedType)} | number`
      : resolvedType !== null
        ? `${kind}${init ? 'Init' : ''}`
        : kind === 'bytes'
          ? 'Uint8Array'
          : kind === 'long'
            ? init
              ? 'string | number | bigint'
              : 'string'
            : kind;
  if (field instanceof protobuf.MapField) return `Readonly<Record<string, ${single}>>`;
  return field.repeated ? `readonly ${single.includes(' ') ? `(${single})` : single}[]` : single;
}

function messageText(type: protobuf.Type, init: boolean): string {
  const members = fieldsOf(type).map((field) => {
    const optional = init || isOptional(field);
    return `${comment(field.comment, '  ')}  readonly ${field.name}${optional ? '?' : ''}: ${typeOf(field, init)};`;
  });
  return `${comment(type.comment, '')}export interface ${type.name}${init ? 'Init' : ''} {\n${members.join('\n')}\n}\n`;
}

const enumText = (type: protobuf.Enum): string =>
  `${comment(type.comment, '')}export type ${nameOf(type)} =\n${Object.keys(type.values)
    .map((name) => `  | '${name}'`)
    .join('\n')};\n`;

/** [name, kind] or [name, kind, 'repeated' | 'map' | 'optional']. */
function rowOf(field: protobuf.Field): readonly string[] {
  const label =
    field instanceof protobuf.MapField ? 'map' : field.repeated ? 'repeated' : isOptional(field) ? 'optional' : '';
  return label === '' ? [field.name, kindOf(field)] : [field.name, kindOf(field), label];
}

export function clientMessages(): string {
  const asked = reachable(ASKED);
  const answered = reachable(ANSWERED);
  const all = new Map([...asked, ...answered]);
  const messages = [...all.values()].filter((type) => type instanceof protobuf.Type);
  const enums = [...all.values()].filter((type) => type instanceof protobuf.Enum);
  const parts = [
    '/** Generated from proto/ by `npm run generate`. */\n',
    `/** Codes of refusals, stable. */\nexport type ErrorCode =\n${Object.keys(ERRORS)
      .map((code) => `  | '${code}'`)
      .join('\n')};\n`,
    ...enums.map(enumText),
    ...[...asked.values()].filter((type) => type instanceof protobuf.Type).map((type) => messageText(type, true)),
    ...[...answered.values()].filter((type) => type instanceof protobuf.Type).map((type) => messageText(type, false)),
    `/** Members by message: name, kind, and how often. */\nexport const MESSAGES = {\n${messages
      .map(
        (type) =>
          `  ${type.name}: [\n${fieldsOf(type)
            .map((f) => `    ${JSON.stringify(rowOf(f))},`)
            .join('\n')}\n  ],`,
      )
      .join('\n')}\n} as const;\n`,
    `/** The first of each, which stands for absence. */\nexport const FIRST = ${JSON.stringify(
      Object.fromEntries(enums.map((type) => [nameOf(type), Object.keys(type.values)[0]])),
      null,
      2,
    )} as const;\n`,
  ];
  return parts.join('\n');
}
