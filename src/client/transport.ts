/** Requests with a time limit, tried again where the service says that this makes sense. */
import { problemOf, ProblemError } from './problem.js';

export interface TransportOptions {
  /** An API key. */
  readonly key?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds that one call may take, tries and waits together (60,000). */
  readonly timeout?: number;
  /** How often a request is tried again that was refused for now or got no answer (3). */
  readonly retries?: number;
  /** In place of the global one. */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds, for this call. */
  readonly timeout?: number;
  /** W3C trace context that the service's spans belong to. */
  readonly traceparent?: string;
}

export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Milliseconds of the first wait where the service names none; each further one is twice as long. */
const FIRST_WAIT = 100;

export class Transport {
  private readonly base: URL;

  constructor(
    url: string | URL,
    private readonly options: TransportOptions,
  ) {
    this.base = new URL(url);
    if (!this.base.pathname.endsWith('/')) this.base.pathname += '/';
  }

  /**
   * The answer, which is a success or 304. Throws ProblemError for a refusal, the signal's reason or a TimeoutError where
   * time ran out, and fetch's TypeError where there is no connection.
   */
  async send(outgoing: Outgoing, call: CallOptions = {}): Promise<Response> {
    const timeout = call.timeout ?? this.options.timeout ?? 60_000;
    const deadline = AbortSignal.timeout(timeout);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
    const until = performance.now() + timeout;
    for (let tries = 0; ; tries++) {
      const outcome = await this.once(outgoing, call, signal, until);
      if (outcome instanceof Response) return outcome;
      const wait = tries < (this.options.retries ?? 3) ? waitAfter(outcome, tries) : null;
      if (signal.aborted || wait === null || performance.now() + wait >= until) throw outcome;
      await sleep(wait, signal);
    }
  }

  /** A success or 304; or what to throw. */
  private async once(
    outgoing: Outgoing,
    { traceparent }: CallOptions,
    signal: AbortSignal,
    until: number,
  ): Promise<unknown> {
    const headers = new Headers({ accept: 'application/json', ...this.options.headers, ...outgoing.headers });
    if (this.options.key !== undefined) headers.set('authorization', `Bearer ${this.options.key}`);
    if (traceparent !== undefined) headers.set('traceparent', traceparent);
    // The service then stops the work when nobody waits for it any more, whatever stands between.
    headers.set('prefer', `wait=${Math.max(1, Math.ceil((until - performance.now()) / 1000))}`);
    const { method, path, body } = outgoing;
    try {
      const url = new URL(path, this.base);
      const init = { method, headers, signal, ...(body === undefined ? {} : { body: body as string }) };
      const response = await (this.options.fetch ?? fetch)(url, init);
      return response.ok || response.status === 304 ? response : await problemOf(response);
    } catch (error) {
      return error;
    }
  }
}

/** Milliseconds to wait before the next try; null where another would be of no use. */
function waitAfter(outcome: unknown, tries: number): number | null {
  const backoff = FIRST_WAIT * 2 ** tries * (0.5 + Math.random() / 2);
  if (outcome instanceof ProblemError) {
    if (outcome.retryAfter !== null) return outcome.retryAfter * 1000 + backoff;
    return [502, 503, 504].includes(outcome.status) && outcome.code.startsWith('HTTP_') ? backoff : null;
  }
  return outcome instanceof TypeError ? backoff : null; // no connection; every request may be sent twice
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', leave, { once: true });
  });
}
