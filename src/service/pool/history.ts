/**
 * How long compilations will take, learnt from those before: for each client apart, so that nobody's short programs vouch for
 * somebody else's, by the request's size in powers of two, and by digest for those that took long.
 */
import { LRUCache } from 'lru-cache';

/** short: done before anybody notices. long: better not on all workers at a time. unknown: too few were seen. */
export type Expected = 'short' | 'medium' | 'long' | 'unknown';

/** Milliseconds up to which a compilation is short, and medium. */
export const SHORT = 100;
export const MEDIUM = 2000;

/** Compilations of one client and size until they are believed. */
const ENOUGH = 3;
/** How much of the worst that was seen is remembered after each one: thirty good ones make up for a minute. */
const MEMORY = 0.9;
/** Milliseconds that an unknown one is taken for. */
const GUESS = 10;

const CLIENTS_AND_SIZES = 16_384;
const DIGESTS = 16_384;

interface Seen {
  readonly runs: number;
  readonly mean: number;
  readonly worst: number;
}

export class History {
  private readonly seen = new LRUCache<string, Seen>({ max: CLIENTS_AND_SIZES });
  private readonly slow = new LRUCache<string, true>({ max: DIGESTS });

  /** What to expect, and in how many milliseconds. */
  expect(client: string, bytes: number, digest: string): { readonly expected: Expected; readonly cost: number } {
    const seen = this.seen.get(nameOf(client, bytes));
    const cost = seen?.mean ?? GUESS;
    if (this.slow.has(digest)) return { expected: 'long', cost: Math.max(cost, MEDIUM) };
    if (seen === undefined) return { expected: 'unknown', cost };
    if (seen.worst > MEDIUM) return { expected: 'long', cost };
    if (seen.runs < ENOUGH) return { expected: 'unknown', cost };
    return { expected: seen.worst > SHORT ? 'medium' : 'short', cost };
  }

  /** What one took, to its end or until it was stopped. */
  learn(client: string, bytes: number, digest: string, milliseconds: number): void {
    const name = nameOf(client, bytes);
    const before = this.seen.get(name) ?? { runs: 0, mean: milliseconds, worst: 0 };
    this.seen.set(name, {
      runs: before.runs + 1,
      mean: before.mean * 0.75 + milliseconds * 0.25,
      worst: Math.max(milliseconds, before.worst * MEMORY),
    });
    if (milliseconds > MEDIUM) this.slow.set(digest, true);
  }
}

function nameOf(client: string, bytes: number): string {
  return `${32 - Math.clz32(bytes)} ${client}`;
}
