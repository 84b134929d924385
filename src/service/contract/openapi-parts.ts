/** What operations of the OpenAPI document have in common. */
import type { Scope } from '../auth/keys-file.js';
import { ERRORS, type ErrorCode } from '../errors.js';
import { namedCpuFeatures, UNNAMED_CPU_FEATURES } from './cpu.js';
import type { Json } from './openapi-schemas.js';

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
export const JSON_BODY = (name: string): Json => ({ 'application/json': { schema: ref(name) } });
export const PROTOBUF = { 'application/x-protobuf': { schema: { type: 'string', contentEncoding: 'binary' } } };

/** What a key must allow (the roles of the security requirement); without a keys file nothing is asked. */
export const secured = (scope: Scope): Json => ({ security: [{ apiKey: [scope] }, {}] });

/** How an operation that needs a key refuses. */
export const AUTH = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'CONCURRENCY_LIMITED'] as const;

/** Answers of one kind of refusal; several codes may share a status. */
export function problems(...codes: readonly ErrorCode[]): Json {
  const byStatus: Record<string, Json> = {};
  for (const code of codes) {
    const status = String(ERRORS[code].http);
    const others = (byStatus[status]?.['x-codes'] ?? []) as readonly string[];
    const all = [...others, code];
    byStatus[status] = {
      description: all.map((name) => `${name}: ${ERRORS[name as ErrorCode].title}`).join('. '),
      'x-codes': all,
      ...(ERRORS[code].http === 503 || ERRORS[code].http === 429 ? { headers: RETRY_AFTER } : {}),
      content: { 'application/problem+json': { schema: ref('Problem') } },
    };
  }
  return byStatus;
}

const RETRY_AFTER = {
  'Retry-After': { schema: { type: 'integer' }, description: 'Seconds after which to try again.' },
};

export const query = (name: string, schema: Json, description: string): Json => ({
  name,
  in: 'query',
  schema,
  description,
});

export const OBJECT_QUERY: readonly Json[] = [
  query('programs', { type: 'string' }, 'Which programs, separated by commas; all that load by default where absent.'),
  query('kernel', { type: 'string' }, 'A target of GET /targets.'),
  {
    ...query(
      'target',
      { type: 'array', items: { type: 'string' } },
      'Several targets, in place of `kernel`: one answer each.',
    ),
    ...{ style: 'form', explode: true },
  },
  query('btfDigest', { type: 'string' }, 'SHA-256 of an uploaded BTF that replaces the target’s.'),
  query('logLevel', { type: 'integer', minimum: 0, maximum: 7 }, 'bpf(2)’s bits 1, 2 and 4.'),
  query('attachProgram', { type: 'string' }, 'The program that those of the object are attached to, by name.'),
  query('attachFunction', { type: 'string' }, 'Its function, in place of the one that sections name.'),
  query('legacyMaps', { type: 'boolean' }, 'Take the legacy `maps` section.'),
  query(
    'capabilities',
    { type: 'string' },
    'What the loading process may do: names such as `CAP_BPF,CAP_NET_ADMIN`, or `none`; everything where absent.',
  ),
  query(
    'cpu',
    { type: 'string' },
    `Features of the CPU that change code, in place of the target’s own: \`ARCHITECTURE.FEATURE=VALUE\`, separated by commas. ${namedCpuFeatures()}`,
  ),
  ...UNNAMED_CPU_FEATURES.map((name) => query(name, { type: 'boolean' }, `Whether the CPU has ${name.toUpperCase()}.`)),
];

export const BINARY = { type: 'string', contentMediaType: 'application/octet-stream' };

export const ok = (description: string, content: Json): Json => ({ '200': { description, content } });

/** What a request to compile may come as, beside JSON. */
export const BINARY_BODIES: Json = {
  'application/x-protobuf': { schema: BINARY },
  'application/octet-stream': { schema: BINARY },
  'multipart/form-data': {
    schema: {
      type: 'object',
      properties: { object: BINARY, btf: BINARY, attachObject: BINARY },
      required: ['object'],
    },
  },
};
