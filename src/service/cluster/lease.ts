/**
 * Who is at a piece of work, among instances: `bpf-jitd:1:lease:NAME` holds the owner's token and expires unless it is
 * renewed, so that the work of an instance that died is free again.
 */
import { randomUUID } from 'node:crypto';
import { PREFIX, type RedisLink } from './link.js';

/** Lua: only who owns the lease may change it. */
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', KEYS[2], ARGV[2])
return 1`;

export interface Lease {
  /** Gives it up and tells those who listen on `channelOf(name)`. */
  release(message: string): Promise<void>;
}

export const channelOf = (name: string): string => `${PREFIX}flight:${name}`;

export class Leases {
  /** `duration`: milliseconds after which a lease that is not renewed is free. */
  constructor(
    private readonly link: RedisLink,
    private readonly duration: number,
  ) {}

  /** 'taken' where another instance has it; null where Redis does not say. */
  async acquire(name: string): Promise<Lease | 'taken' | null> {
    const key = `${PREFIX}lease:${name}`;
    const token = randomUUID();
    const answer = await this.link.run(async (redis) => ({
      mine: (await redis.set(key, token, 'PX', this.duration, 'NX')) === 'OK',
    }));
    if (answer === null) return null;
    if (!answer.mine) return 'taken';
    const renewal = setInterval(() => {
      void this.link.run((redis) => redis.eval(RENEW, 1, key, token, this.duration));
    }, this.duration / 3);
    return {
      release: async (message) => {
        clearInterval(renewal);
        await this.link.run((redis) => redis.eval(RELEASE, 2, key, channelOf(name), token, message));
      },
    };
  }
}
