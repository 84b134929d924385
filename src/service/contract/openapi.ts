/**
 * The OpenAPI 3.1 document, from the messages of proto/, the table of errors, and the operations below. It is committed
 * as openapi/openapi.json; a test holds that file and the routes of the application against it.
 */
import { ERRORS } from '../errors.js';
import { VERSION } from '../version.js';
import { JOB_PATHS } from './openapi-jobs.js';
import {
  AUTH,
  BINARY,
  BINARY_BODIES,
  JSON_BODY,
  OBJECT_QUERY,
  ok,
  problems,
  PROTOBUF,
  ref,
  secured,
} from './openapi-parts.js';
import { messageSchemas, type Json } from './openapi-schemas.js';

/** r0 = XDP_PASS; exit — a program that any kernel accepts. */
const XDP_PASS = {
  program: {
    name: 'pass',
    type: 'BPF_PROG_TYPE_XDP',
    license: 'GPL',
    instructions: 'twAAAAIAAACVAAAAAAAAAA==',
  },
  options: { logLevel: 1 },
};

/** r0 is read before it was written: "R0 !read_ok". */
const UNINITIALISED = {
  program: { name: 'bad', type: 'BPF_PROG_TYPE_SOCKET_FILTER', license: 'GPL', instructions: 'lQAAAAAAAAA=' },
  options: { logLevel: 1 },
};

const ANSWER: Json = {
  description: 'What the kernel says. A rejected program is a good answer: `accepted` is false.',
  headers: {
    ETag: { schema: { type: 'string' }, description: 'From the digest.' },
    'Cache-Status': { schema: { type: 'string' }, description: 'RFC 9211: memory, disk, collapsed, or compiled now.' },
    'Server-Timing': { schema: { type: 'string' }, description: 'Milliseconds of each stage.' },
  },
  content: { ...JSON_BODY('CompileResponse'), ...PROTOBUF },
};

const PREFER: Json = {
  name: 'Prefer',
  in: 'header',
  schema: { type: 'string' },
  description: '`wait=SECONDS`: give up sooner than the service would.',
};

const DIGEST: Json = {
  name: 'digest',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  description: 'SHA-256 in hexadecimal.',
};

const COMPILE: Json = {
  operationId: 'compile',
  ...secured('compile'),
  summary: 'Load, verify and compile',
  description: 'Objects sent as application/octet-stream or multipart/form-data take everything else from the query.',
  parameters: [...OBJECT_QUERY, PREFER],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: ref('CompileRequest'),
        examples: {
          accepted: { summary: 'An XDP program that passes every packet', value: XDP_PASS },
          rejected: { summary: 'A program that reads a register it never wrote', value: UNINITIALISED },
        },
      },
      ...BINARY_BODIES,
    },
  },
  responses: {
    '200': ANSWER,
    '304': { description: 'If-None-Match names the answer.' },
    ...problems(
      ...AUTH,
      ...(['MALFORMED_BODY', 'INVALID_FIELD', 'NOT_ACCEPTABLE', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const),
      ...(['UNKNOWN_TARGET', 'UNKNOWN_BTF', 'INVALID_BTF', 'INVALID_OBJECT', 'OUT_OF_MEMORY'] as const),
      ...(['QUEUE_FULL', 'OVERLOADED', 'SHUTTING_DOWN', 'DEADLINE_EXCEEDED', 'WORKER_LOST', 'INTERNAL'] as const),
    ),
  },
};

const STATE = { 'application/json': { schema: { type: 'object', properties: { status: { type: 'string' } } } } };

export const PATHS: Readonly<Record<string, Json>> = {
  '/compile': { post: COMPILE },
  '/compilations/{digest}': {
    get: {
      operationId: 'getCompilation',
      ...secured('read'),
      summary: 'An answer given before',
      parameters: [DIGEST],
      responses: {
        '200': ANSWER,
        '304': { description: 'If-None-Match names it.' },
        ...problems(...AUTH, 'INVALID_DIGEST', 'NOT_FOUND', 'NOT_ACCEPTABLE', 'INVALID_OBJECT'),
      },
    },
  },
  '/btf/{digest}': {
    put: {
      operationId: 'uploadBtf',
      ...secured('btf:write'),
      summary: 'Keep a kernel’s BTF, to be named by its digest',
      parameters: [DIGEST],
      requestBody: { required: true, content: { 'application/octet-stream': { schema: BINARY } } },
      responses: {
        '201': { description: 'Kept.', content: JSON_BODY('UploadBtfResponse') },
        ...problems(
          ...AUTH,
          ...(['INVALID_DIGEST', 'DIGEST_MISMATCH', 'INVALID_BTF', 'BODY_TOO_LARGE'] as const),
          ...(['MALFORMED_BODY', 'UNSUPPORTED_MEDIA_TYPE', 'OVERLOADED', 'STORE_FULL', 'DEADLINE_EXCEEDED'] as const),
        ),
      },
    },
  },
  ...JOB_PATHS,
  '/targets': {
    get: {
      operationId: 'listTargets',
      ...secured('read'),
      summary: 'The kernels that can be compiled for',
      responses: { ...ok('The default first.', JSON_BODY('ListTargetsResponse')), ...problems(...AUTH) },
    },
  },
  '/livez': { get: { operationId: 'livez', summary: 'Is it alive?', responses: ok('It is.', STATE) } },
  '/readyz': {
    get: {
      operationId: 'readyz',
      summary: 'Does it take work?',
      responses: { ...ok('It does.', STATE), '503': { description: 'Not now.', content: STATE } },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      ...secured('metrics'),
      summary: 'Prometheus metrics',
      responses: {
        ...ok('Text exposition format.', { 'text/plain': { schema: { type: 'string' } } }),
        ...problems(...AUTH),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This document',
      responses: ok('OpenAPI 3.1.', { 'application/json': { schema: { type: 'object' } } }),
    },
  },
};

const API_KEY: Json = {
  type: 'http',
  scheme: 'bearer',
  description: 'An API key of `bpf-jitd keys create`, where the service asks for one.',
};

const PROBLEM: Json = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS), description: 'Stable.' },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'The request’s id.' },
    field: { type: 'string', description: 'Path of the field at fault.' },
    failure: { ...ref('Failure') },
  },
};

/** google.rpc.Status stands in a gRPC-only message; JSON never shows it. */
const GRPC_ONLY = new Set([
  'BatchRequest',
  'BatchResponse',
  'UploadBtfRequest',
  'GetCompilationRequest',
  'ListTargetsRequest',
  'GetJobRequest',
  'CancelJobRequest',
  'WatchJobRequest',
]);

export function openApiDocument(): Json {
  const schemas = Object.fromEntries(Object.entries(messageSchemas()).filter(([name]) => !GRPC_ONLY.has(name)));
  return {
    openapi: '3.1.0',
    info: {
      title: 'bpf-jitd',
      version: VERSION,
      description: 'The Linux BPF load path as a service: verdict, log, translated instructions and machine code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: PATHS,
    components: { schemas: { ...schemas, Problem: PROBLEM }, securitySchemes: { apiKey: API_KEY } },
  };
}
