/**
 * What both transports call, and nothing deeper:
 *
 *     what came → intake: checked, named → memory → disk → Redis → the same in flight? → executor → answer
 */
import { performance } from 'node:perf_hooks';
import type { Identity } from './auth/identity.js';
import type { Answer } from './cache/entry.js';
import { cacheKey } from './cache/key.js';
import type { CacheTiers, Found } from './cache/tiers.js';
import { isDigest } from './contract/request.js';
import { ServiceError } from './errors.js';
import type { Executed, Executor } from './execute/executor.js';
import { Flights } from './flights.js';
import type { Intake } from './intake/intake.js';
import type { Body, Prepared, ReadSource, RequestSource } from './intake/source.js';
import { atTarget, composed } from './many-targets.js';
import type { BtfStore } from './btf-store.js';
import type { CompilePool } from './pool/pool.js';
import type { TargetCatalog } from './catalog.js';
import type { Metrics } from './telemetry/metrics.js';
import type { Trace } from './telemetry/trace.js';

/** Where an answer came from; flight: it was being made for somebody else already. */
export type Source = Found['source'] | Executed['source'];

export interface Compiled {
  readonly digest: string;
  /** What it is kept under: the digest, or a name of the tenant's own. */
  readonly key: string;
  readonly answer: Answer;
  readonly source: Source;
  /** Milliseconds, by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

export interface CompileServiceParts {
  readonly pool: CompilePool;
  readonly executor: Executor;
  readonly tiers: CacheTiers;
  readonly btf: BtfStore;
  readonly catalog: TargetCatalog;
  readonly metrics: Metrics;
  readonly intake: Intake;
  /** Milliseconds that a request may take at most. */
  readonly timeout: number;
}

/** Who asks, and how long and in what form they want their answer. */
export interface Asking {
  readonly identity: Identity;
  /** Aborted when the client has gone or its time is over; the work stops when nobody else waits for it. */
  readonly signal: AbortSignal;
  /** JSON is what the client will be sent. */
  readonly json: boolean;
  /** Milliseconds, where the client gives less than the service does. */
  readonly limit?: number;
  /** Null where no traces are kept. */
  readonly trace: Trace | null;
}

export class CompileService {
  private readonly flights = new Flights<Executed>();
  private stopping = false;

  constructor(private readonly parts: CompileServiceParts) {}

  /** Compilations that are waited for. */
  get inFlight(): number {
    return this.flights.size;
  }
  get accepting(): boolean {
    return !this.stopping;
  }
  get hasRoom(): boolean {
    return this.parts.executor.hasRoom;
  }
  get pool(): CompilePool {
    return this.parts.pool;
  }
  get catalog(): TargetCatalog {
    return this.parts.catalog;
  }
  get btf(): BtfStore {
    return this.parts.btf;
  }
  get metrics(): Metrics {
    return this.parts.metrics;
  }

  /** Reads a single request and answers it. Throws ServiceError. */
  async ask(source: RequestSource, asking: Asking): Promise<Compiled> {
    this.checkAccepting();
    const started = performance.now();
    const read = this.read(source, asking);
    const { requests } = 'then' in read ? await read : read;
    return this.compile(requests[0]!, asking, performance.now() - started);
  }

  /** What a client sent as requests; at once where it is small. Throws ServiceError. */
  read(source: RequestSource, asking: Asking): ReadSource | Promise<ReadSource> {
    return this.parts.intake.read(source, askerOf(asking, this.limitOf(asking)));
  }

  /** Keeps BTF; answers its digest and size. `digest` empty: none was claimed. Throws ServiceError. */
  async upload(
    body: Body,
    digest: string,
    asking: Asking,
  ): Promise<{ readonly digest: string; readonly size: number }> {
    this.checkAccepting();
    const asker = askerOf(asking, this.limitOf(asking));
    const checked = await this.parts.intake.upload({ body, digest }, asker);
    const bytes = asBuffer(checked.bytes);
    await this.parts.btf.put(bytes, checked.digest, asking.identity.tenant);
    this.metrics.btfUploads.inc();
    return { digest: checked.digest, size: bytes.length };
  }

  /** Answers a request; `spent`: milliseconds of its time that are over. Throws ServiceError. */
  async compile(request: Prepared, asking: Asking, spent = 0): Promise<Compiled> {
    this.checkAccepting();
    if (request.each.length > 0) return this.compileMany(request, asking, spent);
    const { digest } = request;
    const { tenant, client } = asking.identity;
    const key = cacheKey(tenant, digest);
    const question = { ...request, key, tenant, client, json: asking.json, trace: asking.trace };
    const known = await this.parts.tiers.find(key, asking.trace);
    if (known !== null) return { ...known, digest, key, timings: { ...known.timings, request: spent } };
    const waiting = performance.now();
    const limit = Math.max(1, Math.floor(this.limitOf(asking) - spent));
    let joined = true;
    const made = await this.flights
      .join(key, { signal: asking.signal, limit, late }, (stop) => {
        joined = false;
        return this.parts.executor.execute(question, stop);
      })
      .catch((error: unknown) => {
        throw reasonOf(error, asking.signal);
      });
    if (joined) this.parts.metrics.flights.inc({ role: 'joined' });
    const source = joined ? 'flight' : made.source;
    if (source === 'flight') asking.trace?.child('flight', waiting, performance.now());
    return { ...made, source, digest, key, timings: { ...made.timings, request: spent } };
  }

  /** Answers for every target of a request, each by its own way through, and puts them together. */
  private async compileMany({ digest, each }: Prepared, asking: Asking, spent: number): Promise<Compiled> {
    const started = performance.now();
    const key = cacheKey(asking.identity.tenant, digest);
    const known = await this.parts.tiers.find(key, asking.trace);
    if (known !== null) return { ...known, digest, key };
    const made = await Promise.all(
      each.map((one, i) =>
        this.compile(one, asking, spent).catch((error: unknown) => {
          throw atTarget(error, i);
        }),
      ),
    );
    const answers = made.map(({ answer }) => answer);
    const answer = composed(digest, answers, (i) => this.json(made[i]!.key, answers[i]!));
    await this.parts.tiers.put(key, answer, asking.trace);
    return { answer, source: 'compiled', digest, key, timings: { targets: performance.now() - started } };
  }

  /** An answer that is in memory; cheap. */
  remembered(key: string): Found | null {
    return this.parts.tiers.remembered(key);
  }

  /** An answer that this tenant was given before. Throws ServiceError INVALID_DIGEST or NOT_FOUND. */
  async lookup(digest: string, identity: Identity, trace: Trace | null): Promise<Compiled> {
    if (!isDigest(digest)) throw new ServiceError('INVALID_DIGEST', 'a compilation is named by 64 hexadecimal digits');
    const key = cacheKey(identity.tenant, digest);
    const known = await this.parts.tiers.find(key, trace);
    if (known === null) throw new ServiceError('NOT_FOUND', 'no such compilation is remembered; ask for it again');
    return { ...known, digest, key };
  }

  /** The answer as JSON text, made once. */
  json(key: string, answer: Answer): Buffer {
    return this.parts.tiers.json(key, answer);
  }

  /** No new work; resolves when what is in flight has ended, or after `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    this.stopping = true;
    const until = performance.now() + timeout;
    while (this.flights.size > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 20));
  }

  private checkAccepting(): void {
    if (this.stopping) throw new ServiceError('SHUTTING_DOWN', 'this instance takes no new work');
  }

  /** Milliseconds. */
  private limitOf({ limit = Infinity }: Asking): number {
    return Math.min(limit, this.parts.timeout);
  }
}

function askerOf(asking: Asking, limit: number): Parameters<Intake['read']>[1] {
  return {
    client: asking.identity.client,
    get signal() {
      return asking.signal;
    },
    limit,
  };
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

const late = (): ServiceError => new ServiceError('DEADLINE_EXCEEDED', 'the compilation was stopped');

function reasonOf(error: unknown, client: AbortSignal): unknown {
  if (error instanceof ServiceError || !client.aborted) return error;
  return client.reason instanceof ServiceError ? client.reason : new ServiceError('CANCELLED', 'the client has gone');
}
