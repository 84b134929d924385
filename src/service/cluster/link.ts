/**
 * A connection to Redis or Valkey for operations that may cost a request a bounded time and never fail it: one that fails
 * or takes long is as good as none, and after some of them in a row Redis is left alone for a while.
 */
import { hash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Redis, type RedisOptions } from 'ioredis';
import { CircuitBreaker } from '../cache/breaker.js';
import { ServiceError } from '../errors.js';

/** Of every key and channel; 1 is the format. */
export const PREFIX = 'bpf-jitd:1:';

/** How every connection behaves: nothing is queued while there is none, and it comes back by itself. */
export const CONNECTION = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 1000,
  retryStrategy: (times: number) => Math.min(times * 100, 2000),
} satisfies RedisOptions;

export class RedisLink {
  private readonly redis: Redis;
  private readonly breaker: CircuitBreaker;

  /** Milliseconds of one operation, network included, and for which Redis is left alone after failures. */
  constructor(
    url: string,
    { timeout, rest }: { readonly timeout: number; readonly rest: number },
    private readonly onError: (error: unknown) => void,
  ) {
    this.redis = new Redis(url, CONNECTION);
    this.redis.on('error', () => undefined); // operations report
    this.breaker = new CircuitBreaker({ failures: 3, rest, timeout, now: () => performance.now() });
  }

  /** Null where Redis does not answer in time, or refuses (it is full, say). */
  run<T>(call: (redis: Redis) => Promise<T>): Promise<T | null> {
    return this.breaker.run(
      async () => {
        try {
          return await call(this.redis);
        } catch (error) {
          if (!isReply(error)) throw error;
          this.onError(withoutCommand(error)); // it answered, so there is no reason to stay away
          return null;
        }
      },
      (error) => {
        this.onError(withoutCommand(error));
      },
    );
  }

  /** As `run`, and throws QUEUE_UNAVAILABLE instead of answering null: for what nothing can be done without. */
  async must<T>(call: (redis: Redis) => Promise<T>): Promise<T> {
    const answer = await this.run(async (redis) => ({ value: await call(redis) }));
    if (answer === null) throw new ServiceError('QUEUE_UNAVAILABLE', 'Redis does not answer, or takes nothing more');
    return answer.value;
  }

  /** Runs a Lua script that builds its keys from the prefix, its first argument. Throws QUEUE_UNAVAILABLE. */
  script(lua: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.must((redis) => evaluate((...command) => redis.call(...command), lua, args));
  }

  /** The same, with bytes where it answers with text. */
  bytes(lua: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.must((redis) => evaluate((...command) => redis.callBuffer(...command), lua, args));
  }

  close(): void {
    this.redis.disconnect();
  }
}

async function evaluate(
  call: (command: string, ...args: (string | number | Buffer)[]) => Promise<unknown>,
  lua: string,
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  try {
    return await call('EVALSHA', hash('sha1', lua), 0, PREFIX, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return await call('EVAL', lua, 0, PREFIX, ...args);
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** ioredis hangs the command on its errors, with what was sent: programs, which no log may hold. */
export function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error) || !('command' in error)) return error;
  const plain = new Error(error.message);
  plain.name = error.name;
  return plain;
}
