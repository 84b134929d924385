/** What both transports call for jobs: checks what is asked, and shows what a client may see. */
import { createHash, hash, randomUUID } from 'node:crypto';
import type { Identity } from '../auth/identity.js';
import type { Asking, CompileService } from '../compile-service.js';
import type { Message } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import type { ReadSource, RequestSource } from '../intake/source.js';
import type { Trace } from '../telemetry/trace.js';
import type { JobBackend } from './backend.js';
import { jobMessage, TURN_COST, type JobHappening, type JobRecord, type JobRequest, type NewJob } from './job.js';
import { watchJob } from './watch.js';

/** A SubmitJobRequest message without its requests. */
interface JobEnvelope {
  readonly priority?: number;
  readonly callbackUrl?: string;
  readonly idempotencyKey?: string;
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const JOB_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** As backends name what happened. */
const EVENT_ID = /^\d{1,16}(?:-\d{1,16})?$/;
/** Streams of events that one instance keeps open. */
const MAX_WATCHERS = 10_000;

export interface JobServiceParts {
  readonly service: CompileService;
  readonly backend: JobBackend;
  /** Throws ServiceError where the URL may not be called. */
  readonly checkCallback: (url: string) => void;
}

/** A JobEvent message. */
export interface JobEvent {
  readonly id: string;
  readonly item?: Message;
  readonly job?: Message;
}

export class JobService {
  private watchers = 0;

  constructor(private readonly parts: JobServiceParts) {}

  /** Throws ServiceError, with the field's path from `requests` on. */
  read(source: RequestSource, asking: Asking): ReadSource | Promise<ReadSource> {
    return this.parts.service.read(source, asking);
  }

  /** The Job message. Throws ServiceError. */
  async submit(read: ReadSource, identity: Identity, trace: Trace | null): Promise<Message> {
    if (!this.parts.service.accepting) throw new ServiceError('SHUTTING_DOWN', 'this instance takes no new work');
    const message = read.envelope as JobEnvelope;
    const priority = message.priority ?? 0;
    if (TURN_COST[priority] === undefined) throw invalid('priority', 'is no Priority');
    const callbackUrl = message.callbackUrl ?? '';
    if (callbackUrl !== '') this.parts.checkCallback(callbackUrl);
    if (read.requests.length === 0) throw invalid('requests', 'is empty');
    const requests = read.requests.map(({ digest, bytes }) => ({ digest, bytes }));
    const job: NewJob = {
      id: randomUUID(),
      identity,
      priority,
      callbackUrl,
      trace: trace?.carrier ?? '',
      requests,
      idempotency: idempotency(message.idempotencyKey ?? '', identity, priority, callbackUrl, requests),
    };
    const id = await this.parts.backend.submit(job);
    return jobMessage(await this.find(id, identity));
  }

  async get(id: string, identity: Identity): Promise<Message> {
    return jobMessage(await this.find(id, identity));
  }

  /** The Job message as it then is. */
  async cancel(id: string, identity: Identity): Promise<Message> {
    await this.find(id, identity);
    await this.parts.backend.cancel(id);
    return this.get(id, identity);
  }

  /**
   * What happened after the event `last`, and what happens until the job is finished or the signal is aborted. Throws
   * ServiceError before the first event; later, what `check` throws when the client may not see more.
   */
  async watch(
    id: string,
    last: string,
    identity: Identity,
    signal: AbortSignal,
    check: () => void,
  ): Promise<AsyncIterable<JobEvent>> {
    if (last !== '' && !EVENT_ID.test(last)) throw invalid('lastEventId', 'is no event’s id');
    await this.find(id, identity);
    if (this.watchers >= MAX_WATCHERS) throw new ServiceError('RATE_LIMITED', 'too many streams of events are open');
    return this.events(id, watchJob(this.parts.backend, id, last, signal, check));
  }

  private async *events(job: string, happenings: AsyncIterable<JobHappening>): AsyncGenerator<JobEvent> {
    this.watchers++;
    try {
      for await (const { id, item } of happenings) {
        if (item !== null) yield { id, item: item as unknown as Message };
        else yield { id, job: jobMessage((await this.parts.backend.read(job))!) };
      }
    } finally {
      this.watchers--;
    }
  }

  private async find(id: string, { tenant }: Identity): Promise<JobRecord> {
    const job = JOB_ID.test(id) ? await this.parts.backend.read(id) : null;
    if (job?.tenant !== tenant) throw new ServiceError('NOT_FOUND', 'there is no such job, or not any more');
    return job;
  }
}

function invalid(field: string, what: string): ServiceError {
  return new ServiceError('INVALID_FIELD', `${field}: ${what}`, { field });
}

function idempotency(
  key: string,
  { client, tenant }: Identity,
  priority: number,
  callbackUrl: string,
  requests: readonly JobRequest[],
): NewJob['idempotency'] {
  if (key === '') return null;
  if (!IDEMPOTENCY_KEY.test(key)) throw invalid('idempotencyKey', 'is not 1 to 255 visible ASCII characters');
  const fingerprint = createHash('sha256').update(`${priority}\n${callbackUrl}\n`);
  for (const { digest } of requests) fingerprint.update(digest);
  return {
    name: hash('sha256', JSON.stringify([tenant, client, key])),
    fingerprint: fingerprint.digest('hex'),
  };
}
