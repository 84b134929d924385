/** The operations on jobs. */
import { AUTH, BINARY_BODIES, JSON_BODY, OBJECT_QUERY, problems, PROTOBUF, ref, secured } from './openapi-parts.js';
import type { Json } from './openapi-schemas.js';

const ID: Json = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', format: 'uuid' },
  description: 'Of the job.',
};

const JOB: Json = {
  description: 'The job as it is. Answers are found by their digests: GET /compilations/{digest}.',
  content: { ...JSON_BODY('Job'), ...PROTOBUF },
};

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  description: 'The same key with the same requests leads to the same job, so that asking again is safe.',
};

const JOB_QUERY: readonly Json[] = [
  { name: 'priority', in: 'query', schema: ref('Priority'), description: 'With an object or a form.' },
  {
    name: 'callbackUrl',
    in: 'query',
    schema: { type: 'string', format: 'uri' },
    description: 'With an object or a form.',
  },
];

/** Two programs: one is accepted, the other rejected. */
const TWO = {
  requests: ['twAAAAIAAACVAAAAAAAAAA==', 'lQAAAAAAAAA='].map((instructions, i) => ({
    program: { name: `program${i}`, type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions },
    options: { logLevel: 1 },
  })),
};

const UNAVAILABLE = ['QUEUE_UNAVAILABLE', 'INTERNAL'] as const;

export const JOB_PATHS: Readonly<Record<string, Json>> = {
  '/jobs': {
    post: {
      operationId: 'submitJob',
      ...secured('jobs'),
      summary: 'Queue one request or many, for which no connection waits',
      description: 'A single request may also be sent as POST /compile takes objects and forms.',
      parameters: [...OBJECT_QUERY, ...JOB_QUERY, IDEMPOTENCY_KEY],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: ref('SubmitJobRequest'),
            examples: { two: { summary: 'Two programs', value: TWO } },
          },
          ...BINARY_BODIES,
        },
      },
      responses: {
        '202': {
          ...JOB,
          headers: { Location: { schema: { type: 'string' }, description: 'Where the job is looked at.' } },
        },
        ...problems(
          ...AUTH,
          ...([
            'MALFORMED_BODY',
            'INVALID_FIELD',
            'NOT_ACCEPTABLE',
            'BODY_TOO_LARGE',
            'UNSUPPORTED_MEDIA_TYPE',
          ] as const),
          ...(['UNKNOWN_TARGET', 'IDEMPOTENCY_KEY_REUSED', 'QUEUE_FULL', 'OVERLOADED', 'SHUTTING_DOWN'] as const),
          'DEADLINE_EXCEEDED',
          ...UNAVAILABLE,
        ),
      },
    },
  },
  '/jobs/{id}': {
    get: {
      operationId: 'getJob',
      ...secured('jobs'),
      summary: 'A job, and what became of its requests',
      parameters: [ID],
      responses: { '200': JOB, ...problems(...AUTH, 'NOT_FOUND', 'NOT_ACCEPTABLE', ...UNAVAILABLE) },
    },
    delete: {
      operationId: 'cancelJob',
      ...secured('jobs'),
      summary: 'End what is not done yet; what is done stays',
      parameters: [ID],
      responses: { '200': JOB, ...problems(...AUTH, 'NOT_FOUND', 'NOT_ACCEPTABLE', ...UNAVAILABLE) },
    },
  },
  '/jobs/{id}/events': {
    get: {
      operationId: 'watchJob',
      ...secured('jobs'),
      summary: 'What happens to a job until it is finished, as server-sent events',
      description:
        'Events `item` (a JobItem, finished) and at last `job` (a Job); a comment now and then while nothing happens.',
      parameters: [
        ID,
        {
          name: 'Last-Event-ID',
          in: 'header',
          schema: { type: 'string' },
          description: 'Of the last event seen: the stream goes on after it.',
        },
      ],
      responses: {
        '200': { description: 'The stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        ...problems(...AUTH, 'INVALID_FIELD', 'NOT_FOUND', ...UNAVAILABLE),
      },
    },
  },
};
