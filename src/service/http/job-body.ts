/** The bodies of POST /jobs: a SubmitJobRequest, or a single request as POST /compile takes it as an object or a form. */
import type { FastifyRequest } from 'fastify';
import { messageFromJson, messageFromProtobuf, messageFromValue } from '../contract/request.js';
import { SubmitJobRequestType } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import type { SubmitJobMessage } from '../jobs/job-service.js';
import { FORM_TYPE } from './form.js';
import { mediaType, OBJECT_TYPE, readRequest, type Query } from './body.js';

/** What stands in the query beside what POST /compile takes there. */
const JOB_QUERY = new Set(['priority', 'callbackUrl']);

export async function readJob(request: FastifyRequest): Promise<SubmitJobMessage> {
  const idempotencyKey = request.headers['idempotency-key'];
  const message = await readMessage(request);
  if (message.idempotencyKey !== undefined) {
    const field = 'idempotencyKey';
    throw new ServiceError('INVALID_FIELD', `${field}: over HTTP it is the header Idempotency-Key`, { field });
  }
  return idempotencyKey === undefined ? message : { ...message, idempotencyKey: String(idempotencyKey) };
}

async function readMessage(request: FastifyRequest): Promise<SubmitJobMessage> {
  const type = mediaType(request);
  if (type === OBJECT_TYPE || type === FORM_TYPE) return single(request);
  if (!Buffer.isBuffer(request.body)) throw new ServiceError('MALFORMED_BODY', 'the request has no body');
  if (type === 'application/json') return messageFromJson(SubmitJobRequestType, request.body);
  return messageFromProtobuf(SubmitJobRequestType, request.body);
}

async function single(request: FastifyRequest): Promise<SubmitJobMessage> {
  const query = Object.entries(request.query as Query);
  const own = query.filter(([name]) => JOB_QUERY.has(name));
  const job: SubmitJobMessage = messageFromValue(SubmitJobRequestType, Object.fromEntries(own));
  const others = query.filter(([name]) => !JOB_QUERY.has(name));
  return { ...job, requests: [await readRequest(request, Object.fromEntries(others))] };
}
