/**
 * The client of bpf-jitd, for Node 20 and browsers:
 *
 *     const jitd = new BpfJitd('http://localhost:8080');
 *     const { programs } = await jitd.compile({ object: readFileSync('prog.o'), options: { logLevel: 1 } });
 */
import { fromJson, toJson } from './convert.js';
import type {
  CompileRequestInit,
  CompileResponse,
  Job,
  ListTargetsResponse,
  SubmitJobRequestInit,
  TargetInfo,
  UploadBtfResponse,
} from './generated/messages.js';
import { Transport, type CallOptions, type TransportOptions } from './transport.js';

export interface BpfJitdOptions extends TransportOptions {
  /** Answers that are kept, to be asked for again with If-None-Match (64). */
  readonly cache?: number;
}

interface Kept {
  readonly etag: string;
  readonly answer: CompileResponse;
}

/** Milliseconds between looks at a job. */
const LOOK_AGAIN = [100, 250, 500, 1000, 2000];

export class BpfJitd {
  private readonly transport: Transport;
  private readonly kept = new Map<string, Kept>();
  private readonly keep: number;

  /** `url`: of the service, with a path where a proxy puts it below one. */
  constructor(url: string | URL, options: BpfJitdOptions = {}) {
    this.transport = new Transport(url, options);
    this.keep = options.cache ?? 64;
  }

  /**
   * What the kernel says. A program that it rejects is an answer: `accepted` is false. An answer may be given out again:
   * leave it as it is. Throws ProblemError.
   */
  async compile(request: CompileRequestInit, options: CallOptions = {}): Promise<CompileResponse> {
    const body = JSON.stringify(toJson('CompileRequest', request));
    const name = await sha256(new TextEncoder().encode(body));
    const outgoing = { method: 'POST', path: 'compile', headers: { 'content-type': 'application/json' }, body };
    return this.revalidated(name, outgoing, options);
  }

  /** An answer given before, by its digest. Throws ProblemError NOT_FOUND. */
  compilation(digest: string, options: CallOptions = {}): Promise<CompileResponse> {
    return this.revalidated(digest, { method: 'GET', path: `compilations/${encodeURIComponent(digest)}` }, options);
  }

  /** The kernels that can be compiled for, the default first. */
  async targets(options: CallOptions = {}): Promise<readonly TargetInfo[]> {
    const response = await this.transport.send({ method: 'GET', path: 'targets' }, options);
    return fromJson<ListTargetsResponse>('ListTargetsResponse', await response.json()).targets;
  }

  /** Keeps a kernel's BTF at the service; the digest is what `target.btfDigest` names it by. */
  async uploadBtf(btf: Uint8Array, options: CallOptions = {}): Promise<string> {
    const headers = { 'content-type': 'application/octet-stream' };
    const outgoing = { method: 'PUT', path: `btf/${await sha256(btf)}`, headers, body: btf };
    const response = await this.transport.send(outgoing, options);
    return fromJson<UploadBtfResponse>('UploadBtfResponse', await response.json()).digest;
  }

  /** Queues requests for which no connection waits. A key of its own makes that trying again queues nothing twice. */
  submitJob(job: SubmitJobRequestInit, options: CallOptions = {}): Promise<Job> {
    const { idempotencyKey = crypto.randomUUID(), ...rest } = job;
    const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
    const body = JSON.stringify(toJson('SubmitJobRequest', rest));
    return this.job({ method: 'POST', path: 'jobs', headers, body }, options);
  }

  getJob(id: string, options: CallOptions = {}): Promise<Job> {
    return this.job({ method: 'GET', path: `jobs/${encodeURIComponent(id)}` }, options);
  }

  /** Ends what is not done yet. */
  cancelJob(id: string, options: CallOptions = {}): Promise<Job> {
    return this.job({ method: 'DELETE', path: `jobs/${encodeURIComponent(id)}` }, options);
  }

  /** The job when it is finished. Answers lie at `compilation(item.digest)`. Ends early only by the signal. */
  async waitForJob(id: string, options: CallOptions = {}): Promise<Job> {
    for (let looks = 0; ; looks++) {
      const job = await this.getJob(id, options);
      if (job.finishedAt !== '') return job;
      const wait = LOOK_AGAIN[Math.min(looks, LOOK_AGAIN.length - 1)]!;
      await new Promise((done) => setTimeout(done, wait));
      options.signal?.throwIfAborted();
    }
  }

  private async job(outgoing: Parameters<Transport['send']>[0], options: CallOptions): Promise<Job> {
    return fromJson<Job>('Job', await (await this.transport.send(outgoing, options)).json());
  }

  private async revalidated(
    name: string,
    outgoing: Parameters<Transport['send']>[0],
    options: CallOptions,
  ): Promise<CompileResponse> {
    const kept = this.kept.get(name);
    const condition = kept === undefined ? {} : { 'if-none-match': kept.etag };
    const response = await this.transport.send(
      { ...outgoing, headers: { ...outgoing.headers, ...condition } },
      options,
    );
    if (kept !== undefined && response.status === 304) return kept.answer;
    const answer = fromJson<CompileResponse>('CompileResponse', await response.json());
    const etag = response.headers.get('etag');
    if (etag !== null) this.remember(name, { etag, answer });
    return answer;
  }

  /** The oldest goes first. */
  private remember(name: string, kept: Kept): void {
    this.kept.delete(name);
    this.kept.set(name, kept);
    const oldest = this.kept.keys().next();
    if (this.kept.size > this.keep && oldest.done !== true) this.kept.delete(oldest.value);
  }
}

/** In hexadecimal. */
async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
