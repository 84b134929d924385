/** Whether an HTTP answer is one that the OpenAPI document allows. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { openApiDocument } from '../../../src/service/contract/openapi.js';
import { messageType } from '../../../src/service/contract/schema.js';
import { decodeZstd } from '../../../src/service/zstd.js';
import type { FuzzRequest, Schema } from './requests.js';

/** What any request may be told before it comes to a route. */
const BEFORE_ROUTES = new Set([
  'MALFORMED_REQUEST',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'HEADERS_TOO_LARGE',
]);

/** … and of a body where none belongs. */
const OF_BODIES = new Set(['UNSUPPORTED_MEDIA_TYPE', 'MALFORMED_BODY', 'BODY_TOO_LARGE']);

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(openApiDocument(), 'api');
const validators = new Map<string, ValidateFunction>();

function validatorOf(schema: Schema): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
  let known = validators.get(text);
  if (known === undefined) validators.set(text, (known = ajv.compile(JSON.parse(text) as object)));
  return known;
}

interface Answer {
  readonly status: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** The last answer of a connection that was then closed; informational ones (100) come before it. */
export function parseAnswer(bytes: Buffer): Answer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = first.split(' ')[1] ?? '';
  if (status === '100') return parseAnswer(bytes.subarray(end + 4));
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const rest = bytes.subarray(end + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunked(rest) : rest;
  return { status, headers, body };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    if (!(length > 0)) break;
    parts.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 4 + length;
  }
  return Buffer.concat(parts);
}

/** Null where all is well; else what is wrong. */
export async function faultOf(request: FuzzRequest, bytes: Buffer): Promise<string | null> {
  const answer = parseAnswer(bytes);
  if (answer === null) return request.broken ? null : 'no answer';
  const { status, headers } = answer;
  const length = headers.get('content-length');
  if (length !== undefined && request.operation.method !== 'HEAD' && Number(length) !== answer.body.length) {
    return `${status} with ${answer.body.length} bytes of ${length}`;
  }
  if (headers.get('x-content-type-options') !== 'nosniff') return `${status} without nosniff`;
  const allowed = headers.get('allow')?.split(', ') ?? [];
  if ((status === '405') !== allowed.length > 0 || allowed.includes(request.operation.method)) {
    return `${status} with Allow: ${allowed.join(', ')}`;
  }
  if (status === '304' || request.operation.method === 'HEAD') {
    // What cannot be read as HTTP is refused with a body, whatever its method was meant to be.
    return answer.body.length === 0 || answer.body.includes('"MALFORMED_REQUEST"') ? null : 'a body';
  }
  const body = await decoded(answer);
  const type = (headers.get('content-type') ?? '').split(';')[0]!.trim();
  if (type === 'application/problem+json') return problemFault(request, status, JSON.parse(body.toString()));
  const documented = request.operation.responses[status] as
    { content?: Record<string, { schema: Schema }> } | undefined;
  const content = documented?.content?.[type];
  if (content === undefined) return `${status} with ${type} is not documented`;
  if (type === 'application/json') return schemaFault(content.schema, JSON.parse(body.toString()));
  if (type === 'application/x-protobuf') messageType(messageOf(request.operation.path)).decode(body);
  return null;
}

const messageOf = (path: string): string => `bpfjit.v1.${path.startsWith('/jobs') ? 'Job' : 'CompileResponse'}`;

async function decoded({ headers, body }: Answer): Promise<Buffer> {
  const coding = headers.get('content-encoding');
  if (coding === 'gzip') return gunzipSync(body);
  if (coding === 'br') return brotliDecompressSync(body);
  return coding === 'zstd' ? decodeZstd(body, 1e8) : body;
}

function problemFault(request: FuzzRequest, status: string, problem: unknown): string | null {
  const { code, detail } = problem as { code: string; detail: string };
  if (/\n\s+at |node_modules|\.[jt]s:\d+/.test(detail)) return `a stack trace: ${detail}`;
  const fault = schemaFault({ $ref: '#/components/schemas/Problem' }, problem);
  if (fault !== null) return fault;
  if (String((problem as { status: number }).status) !== status) return `${status} says ${code}`;
  if (status === '500') return `500 ${code}`;
  if (BEFORE_ROUTES.has(code)) return null;
  if (OF_BODIES.has(code) && Object.keys(request.operation.content).length === 0) return null;
  const codes = (request.operation.responses[status]?.['x-codes'] ?? []) as readonly string[];
  return codes.includes(code) ? null : `${status} ${code} is not documented: ${detail}`;
}

function schemaFault(schema: Schema, value: unknown): string | null {
  const validate = validatorOf(schema);
  return validate(value) ? null : ajv.errorsText(validate.errors);
}
