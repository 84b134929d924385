/**
 * Who may run where. There are as many places as workers, and one more, the express lane, for what is usually short: however
 * long the others take, somebody's two instructions find a thread. What stays longer in the express lane than its like moves to
 * a place that is free, or loses its thread and waits for one.
 *
 * One client's long compilations, and those of which nothing is known yet, hold at most so many places at a time: fewer than
 * there are workers, where there are two or more.
 */
import { MEDIUM, SHORT, type Expected } from './history.js';

/** Bytes of a request of which nothing is known that is tried in the express lane. */
const SMALL = 64 * 1024;

export type Lane = 'main' | 'express';

/** What decides where a compilation may run. */
export interface Candidate {
  readonly client: string;
  readonly bytes: number;
  readonly expected: Expected;
}

interface Running extends Candidate {
  lane: Lane;
  /** Counts against what its client may hold. */
  heavy: boolean;
}

export class Lanes<T extends Candidate> {
  private readonly running = new Map<T, Running>();

  /** `perClient`: places that one client's long compilations may hold. */
  constructor(
    private readonly workers: number,
    private readonly perClient: number,
  ) {}

  get size(): number {
    return this.running.size;
  }

  /** Whether a place is free, whoever may have it. */
  get hasRoom(): boolean {
    return this.held('main') < this.workers;
  }

  /** Where it may run now; null where it must wait. */
  place(task: T): Lane | null {
    const trusted = task.expected === 'short' || task.expected === 'medium';
    if (!trusted && this.heavyOf(task.client) >= this.perClient) return null;
    if (this.hasRoom) return 'main';
    const quick = task.expected === 'short' || (task.expected === 'unknown' && task.bytes <= SMALL);
    return quick && this.workers > 0 && this.held('express') === 0 ? 'express' : null;
  }

  enter(task: T, lane: Lane): void {
    const { client, bytes, expected } = task;
    this.running.set(task, { client, bytes, expected, lane, heavy: expected === 'long' || expected === 'unknown' });
  }

  leave(task: T): void {
    this.running.delete(task);
  }

  /** Hears how many milliseconds a task has used. False: it must give its thread back. */
  mayStay(task: T, used: number): boolean {
    const running = this.running.get(task);
    if (running === undefined) return true;
    if (used > MEDIUM) running.heavy = true;
    if (running.lane === 'main' || used <= SHORT) return true;
    if (!this.hasRoom) return false;
    running.lane = 'main';
    return true;
  }

  private held(lane: Lane): number {
    let count = 0;
    for (const running of this.running.values()) if (running.lane === lane) count++;
    return count;
  }

  private heavyOf(client: string): number {
    let count = 0;
    for (const running of this.running.values()) if (running.heavy && running.client === client) count++;
    return count;
  }
}
