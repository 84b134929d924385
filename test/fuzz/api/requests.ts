/** HTTP requests made from the OpenAPI document, most of them with something wrong: values, headers, framing. */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { openApiDocument } from '../../../src/service/contract/openapi.js';
import type { Random } from '../random.js';
import { hostileMessage } from './wire.js';

export type Schema = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly responses: Readonly<Record<string, Schema>>;
}

const document = openApiDocument() as {
  readonly paths: Record<string, Record<string, Record<string, unknown>>>;
  readonly components: { readonly schemas: Record<string, Schema> };
};

export const OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    parameters: (operation['parameters'] ?? []) as Operation['parameters'],
    content: ((operation['requestBody'] as { content?: unknown } | undefined)?.content ?? {}) as Operation['content'],
    responses: operation['responses'] as Operation['responses'],
  })),
);

export interface FuzzRequest {
  readonly operation: Operation;
  readonly bytes: Buffer;
  /** The connection may be closed without an answer: the request is no HTTP, or not all of it was sent. */
  readonly broken: boolean;
}

const object = readFileSync(new URL('../../objects/xdp_count.o', import.meta.url));
const CODE = Buffer.from('b7000000020000009500000000000000', 'hex');
const DIGITS = '0123456789abcdef';
const TEXTS = [
  '',
  'p',
  'xdp_main',
  'linux-6.12-arm64',
  'BPF_PROG_TYPE_XDP',
  '0x0',
  '0xffff800081234567',
  '\0',
  '\u202e',
  '𝕏',
];
const ODD: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    '',
    'x'.repeat(5000),
    '\ud800',
    '\u0000',
    [],
    {},
  ],
  ...[[[]], { __proto__: null, constructor: 1 }, '18446744073709551616', '-9223372036854775809', 'NaN', ['x', 1, null]],
];

/** A value of the schema; one in `odd` of its parts is not. */
export function valueOf(schema: Schema, random: Random, odd: number, depth = 0): unknown {
  if (random.oneIn(odd)) return random.pick(ODD);
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    return valueOf(document.components.schemas[reference.split('/').at(-1)!]!, random, odd, depth);
  }
  const any = schema['anyOf'] as readonly Schema[] | undefined;
  if (any !== undefined) return valueOf(random.pick(any), random, odd, depth);
  const names = schema['enum'] as readonly unknown[] | undefined;
  if (names !== undefined) return random.pick(names);
  switch (schema['type']) {
    case 'object':
      return objectOf(schema, random, odd, depth);
    case 'array':
      return Array.from({ length: depth > 4 ? 0 : random.below(3) }, () =>
        valueOf(schema['items'] as Schema, random, odd, depth + 1),
      );
    case 'boolean':
      return random.oneIn(2);
    case 'integer':
      return random.pick([0, 1, 2, 4, 6, 8, 64, (schema['maximum'] as number | undefined) ?? 7]);
    default:
      return textOf(schema, random);
  }
}

function objectOf(schema: Schema, random: Random, odd: number, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const members = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  for (const [name, member] of members) {
    if (random.oneIn(depth > 3 ? 8 : 3)) out[name] = valueOf(member, random, odd, depth + 1);
  }
  const others = schema['additionalProperties'];
  if (typeof others === 'object') out[random.pick(TEXTS)] = valueOf(others as Schema, random, odd, depth + 1);
  else if (random.oneIn(odd * 2)) out[random.pick([...TEXTS, '__proto__', 'toString'])] = random.pick(ODD);
  return out;
}

function textOf(schema: Schema, random: Random): string {
  if (schema['contentEncoding'] === 'base64') {
    return random.pick([CODE, CODE, object, Buffer.alloc(random.below(40), random.below(256))]).toString('base64');
  }
  const pattern = String(schema['pattern'] ?? '');
  if (pattern.includes('{64}')) return digest(random);
  if (pattern.includes('0-9')) return String(random.below(1 << 30));
  return random.pick(TEXTS);
}

function digest(random: Random): string {
  return Array.from({ length: random.oneIn(8) ? random.below(80) : 64 }, () => random.pick([...DIGITS])).join('');
}

/** With a program that is whole more often than chance would have it. */
function jsonBody(schema: Schema, random: Random): Buffer {
  const value = valueOf(schema, random, random.pick([8, 30, 1000]));
  const program = { name: 'p', type: 6, license: 'GPL', instructions: CODE.toString('base64') };
  const whole = typeof value === 'object' && random.oneIn(2) ? { ...value, object: undefined, program } : value;
  return Buffer.from(JSON.stringify(whole) ?? '');
}

function multipartBody(random: Random): { type: string; body: Buffer } {
  const boundary = random.pick(['x', 'a'.repeat(70), "'()+_,-./:=?", '', 'a'.repeat(300), 'é']);
  const used = random.oneIn(6) ? 'other' : boundary;
  const parts: Buffer[] = [];
  for (let n = random.below(5); n >= 0; n--) {
    const name = random.pick(['object', 'btf', 'programs', 'logLevel', 'nonsense', '__proto__', '', 'é"\\']);
    const file = random.oneIn(2) ? `; filename="${random.pick(['a.o', '../../etc/passwd', '', '\0'])}"` : '';
    const more = random.pick([
      '',
      'content-type: x/y\r\n',
      'content-transfer-encoding: base64\r\n',
      `x: ${'y'.repeat(9000)}\r\n`,
    ]);
    const eol = random.oneIn(8) ? '\n' : '\r\n';
    parts.push(Buffer.from(`--${used}${eol}content-disposition: form-data; name="${name}"${file}${eol}${more}${eol}`));
    parts.push(random.pick([object, CODE, Buffer.alloc(0), Buffer.from('1')]), Buffer.from(eol));
  }
  if (!random.oneIn(5)) parts.push(Buffer.from(`--${used}--\r\n`));
  return {
    type: `multipart/form-data; boundary=${random.oneIn(4) ? boundary : `"${boundary}"`}`,
    body: Buffer.concat(parts),
  };
}

function bodyOf(operation: Operation, random: Random): { type: string; body: Buffer } | null {
  const types = Object.keys(operation.content);
  if (types.length === 0) return random.oneIn(10) ? { type: 'application/json', body: Buffer.from('{}') } : null;
  const type = random.pick(types);
  const other = random.oneIn(12)
    ? random.pick([...types, 'text/xml', '', 'application/json; charset=utf-16', '\tx/'])
    : type;
  if (type === 'application/json') {
    return { type: other, body: damaged(jsonBody(operation.content[type]!.schema, random), random) };
  }
  if (type === 'multipart/form-data') return multipartBody(random);
  if (type === 'application/x-protobuf') return { type: other, body: hostileMessage(random) };
  return { type: other, body: damaged(random.pick([object, CODE, Buffer.alloc(0)]), random) };
}

function damaged(bytes: Buffer, random: Random): Buffer {
  if (!random.oneIn(6)) return bytes;
  const out = Buffer.from(bytes);
  for (let n = random.below(4); n >= 0 && out.length > 0; n--) out[random.below(out.length)] = random.below(256);
  return out.subarray(0, random.oneIn(2) ? random.below(out.length + 1) : out.length);
}

const HEADERS: readonly string[] = [
  ...[
    'accept: application/json',
    'accept: application/x-protobuf',
    'accept: */*;q=0',
    'accept: ,;;q=x,',
    'accept: text/html',
  ],
  ...[
    'prefer: wait=1',
    'prefer: wait=99999999999',
    'prefer: ,=;',
    'if-none-match: *',
    'if-none-match: W/"',
    'range: bytes=0-1',
  ],
  ...[
    'accept-encoding: gzip',
    'accept-encoding: br;q=9, *',
    'accept-encoding: zstd',
    'x-request-id: \x7f',
    'te: trailers',
  ],
  ...[
    'authorization: Bearer x',
    'authorization: \x80\xff',
    'content-encoding: identity',
    'content-encoding: gzip',
    'cookie: =',
  ],
  ...[
    'x-forwarded-for: 999.1.1.1,,',
    'traceparent: 00-zz',
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ],
  ...[
    'idempotency-key: é',
    'idempotency-key: k',
    'last-event-id: -1',
    'expect: 100-continue',
    `x: ${'y'.repeat(4000)}`,
  ],
];
/** Lines that are no headers. */
const GARBAGE = [
  'no colon',
  ': no name',
  'x y: z',
  'a: b\x00',
  '\x01: 2',
  'content-length: 5, 6',
  'content-length: -1',
];

function pathOf({ path, parameters }: Operation, random: Random): string {
  const filled = path.replace(/\{\w+\}/g, () =>
    random.oneIn(4)
      ? random.pick(['%00', '%zz', '..%2f', 'é', '%F0%9F%92%A9', 'a'.repeat(300), '*', ''])
      : digest(random),
  );
  const queries = parameters.filter((parameter) => parameter.in === 'query' && random.oneIn(6));
  const pairs = queries.map(({ name, schema }) => `${name}=${encodeURIComponent(textFor(valueOf(schema, random, 4)))}`);
  if (random.oneIn(15)) pairs.push(random.pick(['x=1', '__proto__=1', 'logLevel', '=', '&&', '%zz=%zz', 'a[b]=c']));
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
}

/** encodeURIComponent takes no lone surrogates. */
function textFor(value: unknown): string {
  return String(typeof value === 'object' ? JSON.stringify(value) : value).replace(/[\ud800-\udfff]/g, '');
}

export function fuzzRequest(random: Random): FuzzRequest {
  const operation = random.pick(OPERATIONS);
  const method = random.oneIn(25) ? random.pick(['HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'BREW']) : operation.method;
  const sent = bodyOf(operation, random);
  const headers = [
    'host: x',
    'connection: close',
    ...Array.from({ length: random.below(3) }, () => random.pick(HEADERS)),
  ];
  let broken = false;
  let body: Buffer = sent?.body ?? Buffer.alloc(0);
  if (sent !== null) {
    if (random.oneIn(12)) {
      const coding = random.pick(['gzip', 'br', 'zstd']);
      headers.push(`content-encoding: ${coding}`);
      body = damaged(coding === 'br' ? brotliCompressSync(body) : gzipSync(body), random);
    }
    headers.push(`content-type: ${sent.type}`);
    const framing = random.below(20);
    if (framing === 0) {
      body = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
      headers.push('transfer-encoding: chunked');
    } else if (framing === 1) {
      broken = true;
      body = Buffer.concat([Buffer.from(random.pick(['zz\r\n', 'ffffffffff\r\n', '-1\r\n', '5;\r\n'])), body]);
      headers.push('transfer-encoding: chunked');
    } else if (framing === 2) {
      broken = true;
      headers.push(`content-length: ${random.pick([body.length + 10, '1e3', '', '0x10', '99999999999999999999'])}`);
    } else headers.push(`content-length: ${body.length}`);
  }
  if (random.oneIn(30)) {
    broken = true;
    headers.push(random.pick(GARBAGE));
  }
  const version = random.oneIn(60) ? ((broken = true), random.pick(['HTTP/9.9', 'HTTP/1.0', ''])) : 'HTTP/1.1';
  const head = Buffer.from(
    `${method} ${pathOf(operation, random)} ${version}\r\n${headers.join('\r\n')}\r\n\r\n`,
    'latin1',
  );
  const bytes = Buffer.concat([head, body]);
  if (!random.oneIn(40)) return { operation: { ...operation, method }, bytes, broken };
  return { operation: { ...operation, method }, bytes: bytes.subarray(0, random.below(bytes.length)), broken: true };
}
