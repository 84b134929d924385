/**
 * What instances tell one another through Redis' pub/sub. A message may be lost (a connection that breaks, a restart), so
 * nobody may depend on one: it only saves listeners from looking more often.
 */
import { Redis } from 'ioredis';
import { CONNECTION } from './link.js';

type Listener = (message: string) => void;

/** Milliseconds that a listener waits to be subscribed before it goes on. */
const SUBSCRIBE_TIMEOUT = 100;

export class Bus {
  private readonly redis: Redis;
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(url: string) {
    this.redis = new Redis(url, { ...CONNECTION, enableOfflineQueue: true, maxRetriesPerRequest: null });
    this.redis.on('error', () => undefined); // it reconnects, and subscribes again, by itself
    this.redis.on('message', (channel: string, message: string) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(message);
    });
  }

  /** Resolves when messages come, or after a bounded time; with what ends the listening. */
  async listen(channel: string, listener: Listener): Promise<() => void> {
    const all = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, all.add(listener));
    if (all.size === 1) await settled(this.redis.subscribe(channel));
    return () => {
      if (!all.delete(listener) || all.size > 0) return;
      this.listeners.delete(channel);
      this.redis.unsubscribe(channel).catch(() => undefined);
    };
  }

  close(): void {
    this.redis.disconnect();
  }
}

function settled(work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SUBSCRIBE_TIMEOUT);
    work
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer);
        resolve();
      });
  });
}
