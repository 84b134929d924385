/** Jobs as they lie in Redis: what is kept, read and changed of them (scripts.ts). */
import type { Identity } from '../auth/identity.js';
import { PREFIX, type RedisLink } from '../cluster/link.js';
import { decode, encode, JobItemType } from '../contract/schema.js';
import { HAPPENINGS_PAGE, type JobLimits } from './backend.js';
import {
  isFinal,
  STATE,
  TURN_COST,
  type JobHappening,
  type JobItem,
  type JobRecord,
  type NewJob,
  type State,
} from './job.js';
import { clientFull, flowOf, jobsFull, sameJob } from './limits.js';
import { BEGIN, CANCEL, RECORD, SUBMIT, SWEEP } from './scripts.js';

/** Milliseconds that requests stay whose job was never kept, because its instance died meanwhile. */
const UNCLAIMED = 600_000;

/** What the tasks of a job are queued with. */
export interface Queueing {
  readonly id: string;
  readonly identity: Identity;
  /** The number of its first task's turn, and how far those of its tasks lie apart. */
  readonly turn: number;
  readonly cost: number;
  readonly digests: readonly string[];
  /** As in a job; of one that is queued later, nothing is known of it. */
  readonly trace: string;
}

const key = (id: string): string => `${PREFIX}job:${id}`;

export class JobStore {
  constructor(
    private readonly link: RedisLink,
    private readonly limits: JobLimits,
  ) {}

  /** Keeps a job; what is to be queued for it, or the id of the job that was there before. Throws ServiceError. */
  async submit(job: NewJob): Promise<Queueing | string> {
    const requests = new Map(job.requests.map(({ digest, bytes }) => [digest, Buffer.from(bytes)]));
    const bytes = [...requests.values()].reduce((sum, { length }) => sum + length, 0);
    const place = `${key(job.id)}:requests`;
    await this.link.must((redis) => redis.multi().hset(place, requests).pexpire(place, UNCLAIMED).exec());
    const { client, tenant } = job.identity;
    const { name = '', fingerprint = '' } = job.idempotency ?? {};
    const { retention, items, clientItems } = this.limits;
    const kept = [client, tenant, job.priority, job.callbackUrl, job.requests.length, bytes, name, fingerprint];
    const cost = TURN_COST[job.priority]!;
    const digests = job.requests.map(({ digest }) => digest);
    const bounds = [retention, items, clientItems, this.limits.bytes, flowOf(job), cost, digests.join(',')];
    const [fate, first, second] = (await this.link.script(SUBMIT, job.id, ...kept, ...bounds)) as string[];
    if (fate === 'kept')
      return { id: job.id, identity: job.identity, turn: Number(first), cost, digests, trace: job.trace };
    await this.link.run((redis) => redis.del(place));
    if (fate === 'known') return sameJob(first!, second!, job);
    throw fate === 'client' ? clientFull(clientItems) : jobsFull();
  }

  /** The tasks of a job are all in the queue. */
  async queued(id: string): Promise<void> {
    await this.link.must((redis) => redis.zrem(`${PREFIX}jobs:unqueued`, id));
  }

  /** Jobs that were kept some time ago by instances that did not come to queue their tasks. */
  unqueued(before: number): Promise<string[]> {
    return this.link.must((redis) => redis.zrangebyscore(`${PREFIX}jobs:unqueued`, '-inf', before, 'LIMIT', 0, 100));
  }

  /** Finished jobs whose webhook has been waiting to be queued since before then. */
  untold(before: number): Promise<string[]> {
    return this.link.must((redis) => redis.zrangebyscore(`${PREFIX}jobs:outbox`, '-inf', before, 'LIMIT', 0, 100));
  }

  /** The webhook of a job is in the queue. */
  async told(id: string): Promise<void> {
    await this.link.must((redis) => redis.zrem(`${PREFIX}jobs:outbox`, id));
  }

  /** The request of an item that is to be made now; null where nobody wants it any more. */
  async begin(id: string, index: number, digest: string, turn: number): Promise<Buffer | null> {
    return (await this.link.bytes(BEGIN, id, index, turn, digest)) as Buffer | null;
  }

  /** What it finished: nothing (somebody else was first), the item, or with it the job. */
  async record(id: string, item: JobItem): Promise<'nothing' | 'item' | 'job'> {
    const bytes = Buffer.from(encode(JobItemType, item));
    const failed = item.state === STATE.FAILED ? 1 : 0;
    const fate = await this.link.script(RECORD, id, item.index, bytes, failed, this.limits.retention);
    return fate === 2 ? 'job' : fate === 1 ? 'item' : 'nothing';
  }

  async cancel(id: string): Promise<boolean> {
    return (await this.link.script(CANCEL, id, this.limits.retention)) === 1;
  }

  /** Forgets jobs whose time is over. */
  async sweep(): Promise<void> {
    await this.link.script(SWEEP, '');
  }

  /** Finished, or forgotten. */
  async ended(id: string): Promise<boolean> {
    const state = await this.link.must((redis) => redis.hget(key(id), 'state'));
    return state === null || isFinal(Number(state) as State);
  }

  async read(id: string): Promise<JobRecord | null> {
    const fields = await this.link.must((redis) => redis.hgetallBuffer(key(id)));
    const text = (name: string): string => fields[name]?.toString() ?? '';
    if (fields['state'] === undefined) return null;
    const items = new Map<number, JobItem>();
    const running = new Set<number>();
    for (const [name, value] of Object.entries(fields)) {
      const index = /^[ir](\d+)$/.exec(name)?.[1];
      if (index === undefined) continue;
      if (name.startsWith('r')) running.add(Number(index));
      else items.set(Number(index), readItem(value));
    }
    return {
      id,
      tenant: text('tenant'),
      priority: Number(text('priority')),
      callbackUrl: text('callback'),
      state: Number(text('state')) as State,
      total: Number(text('total')),
      createdAt: Number(text('created')),
      finishedAt: text('finished') === '' ? null : Number(text('finished')),
      items,
      running,
    };
  }

  /** The next ones after that of id `after`, of all where it is empty. */
  async happenings(id: string, after: string): Promise<JobHappening[]> {
    const from = after === '' ? '-' : `(${after}`;
    const place = `${key(id)}:events`;
    const entries = await this.link.must((redis) => redis.xrange(place, from, '+', 'COUNT', HAPPENINGS_PAGE));
    const names = entries.flatMap(([, [kind, index]]) => (kind === 'i' ? [`i${index!}`] : []));
    const values = names.length === 0 ? [] : await this.link.must((redis) => redis.hmgetBuffer(key(id), ...names));
    return entries.map(([name, [kind]]) => ({ id: name, item: kind === 'i' ? readItem(values.shift()!) : null }));
  }

  /** Of all instances; null where Redis does not say. */
  async open(): Promise<number | null> {
    const items = await this.link.run((redis) => redis.hget(`${PREFIX}jobs:load`, 'items'));
    return items === null ? null : Number(items);
  }

  /** As `submit` answered; null where there is nothing to be queued any more. */
  async queueing(id: string): Promise<Queueing | null> {
    const fields = ['client', 'tenant', 'turn', 'priority', 'digests'];
    const told = await this.link.must((redis) => redis.hmget(key(id), ...fields));
    const [client, tenant, turn, priority, digests] = told;
    if (typeof client !== 'string' || typeof digests !== 'string') return null;
    const cost = TURN_COST[Number(priority)]!;
    return {
      id,
      identity: { client, tenant: tenant ?? '' },
      turn: Number(turn),
      cost,
      digests: digests.split(','),
      trace: '',
    };
  }
}

function readItem(bytes: Buffer): JobItem {
  return { index: 0, ...decode(JobItemType, bytes) } as JobItem;
}
