/** POST /jobs, GET and DELETE /jobs/{id}, and GET /jobs/{id}/events as server-sent events. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { writeJson } from '../contract/json-write.js';
import { encode, JobItemType, JobType, type Message } from '../contract/schema.js';
import type { JobEvent, JobService } from '../jobs/job-service.js';
import { underSignals } from '../signals.js';
import type { AnswerHeaders } from './answer-headers.js';
import { sourceOf } from './body.js';
import { clientSignal } from './client-signal.js';
import { identityOf } from './identity.js';
import { withHeader } from './job-body.js';
import { answerType, JSON_TYPE } from './negotiate.js';

interface ById {
  readonly Params: { readonly id: string };
}

const CONFIG = { config: { scope: 'jobs' } } as const;

/** Milliseconds of silence after which a comment shows that the stream is alive. */
const HEARTBEAT = 15_000;

/** `stopping` is aborted when the instance stops: streams end then, and clients go on elsewhere. */
export function jobsRoutes(
  app: FastifyInstance,
  jobs: JobService,
  headers: AnswerHeaders,
  stopping: AbortSignal,
): void {
  app.post('/jobs', CONFIG, async (request, reply) => {
    const type = answerType(request.headers.accept);
    const asking = {
      identity: identityOf(request),
      signal: clientSignal(request, reply),
      json: false,
      trace: request.trace,
    };
    const read = await jobs.read(await sourceOf(request, 'SubmitJobRequest'), asking);
    const job = await jobs.submit(withHeader(request, read), asking.identity, request.trace);
    void reply.code(202).header('location', `/jobs/${String(job['id'])}`);
    return send(reply, type, job);
  });

  app.get<ById>('/jobs/:id', CONFIG, async (request, reply) => {
    const type = answerType(request.headers.accept);
    return send(reply, type, await jobs.get(request.params.id, identityOf(request)));
  });

  app.delete<ById>('/jobs/:id', CONFIG, async (request, reply) => {
    const type = answerType(request.headers.accept);
    return send(reply, type, await jobs.cancel(request.params.id, identityOf(request)));
  });

  app.get<ById>('/jobs/:id/events', CONFIG, async (request, reply) => {
    const last = String(request.headers['last-event-id'] ?? '');
    await underSignals([clientSignal(request, reply), stopping], async (signal) => {
      const check = (): void => request.holder?.check('jobs');
      const events = await jobs.watch(request.params.id, last, identityOf(request), signal, check);
      reply.hijack();
      reply.raw.writeHead(200, [...headers.of(request), ...STREAM_HEADERS]);
      await stream(request, reply.raw, events);
    });
  });
}

function send(reply: FastifyReply, type: string, job: Message): FastifyReply {
  const body = type === JSON_TYPE ? JSON.stringify(writeJson(JobType, job)) : Buffer.from(encode(JobType, job));
  return reply.header('cache-control', 'no-store').header('content-type', type).send(body);
}

const STREAM_HEADERS = [
  ...['content-type', 'text/event-stream', 'cache-control', 'no-store'],
  ...['x-accel-buffering', 'no'], // nginx passes it on as it comes
];

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function stream(request: FastifyRequest, out: ServerResponse, events: AsyncIterable<JobEvent>): Promise<void> {
  out.flushHeaders();
  const heartbeat = setInterval(() => out.write(': alive\n\n'), HEARTBEAT);
  try {
    for await (const event of events) {
      if (!out.write(eventText(event))) await Promise.race([once(out, 'drain'), once(out, 'close')]);
    }
  } catch (error) {
    request.log.warn({ err: error, reqId: request.id }, 'a stream of events broke off'); // the client comes again
  } finally {
    clearInterval(heartbeat);
    out.end();
  }
}

function eventText({ id, item, job }: JobEvent): string {
  const name = item === undefined ? 'job' : 'item';
  const data = item === undefined ? writeJson(JobType, job!) : writeJson(JobItemType, item);
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
