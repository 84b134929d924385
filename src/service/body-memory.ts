/**
 * Request bodies in memory, of both transports together. Bytes are reserved as they come, so that who only says that much will
 * come holds nothing. A client may hold half of it; where all of it is held, the one who holds most gives way to those who hold
 * less, and of what it is still sending, the slowest goes first.
 */
import { performance } from 'node:perf_hooks';
import { ServiceError } from './errors.js';

/** Bytes of each body that are not counted: they are bounded by the connections there may be. */
export const UNCOUNTED = 64 * 1024;
/** Share of all that one client may hold. */
const SHARE = 0.5;
/** Milliseconds in which nobody is slow yet. */
const GRACE = 1000;

export interface BodyHold {
  /** Counts more bytes. Throws ServiceError OVERLOADED where there is no room for them. */
  take(bytes: number): void;
  /** All has come: it is not slow any more. */
  complete(): void;
  /** So many bytes are not held any more, all of them by default. */
  release(bytes?: number): void;
}

interface Client {
  held: number;
  readonly holds: Set<Hold>;
}

export class BodyMemory {
  private readonly clients = new Map<string, Client>();
  private total = 0;

  constructor(
    readonly maxBytes: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Bytes that are held. */
  get bytes(): number {
    return this.total;
  }

  /** A body of `client` that begins to come; `lose` is called when it has to give way. */
  open(client: string, lose: (reason: ServiceError) => void): BodyHold {
    return new Hold(this, client, lose, this.now());
  }

  /** Throws ServiceError OVERLOADED. */
  reserve(hold: Hold, bytes: number): void {
    const mine = this.clients.get(hold.client)?.held ?? 0;
    // One body is let in whatever its size: the body's own limit bounds that.
    if (mine > 0 && mine + bytes > this.maxBytes * SHARE) throw overloaded('this client');
    while (this.total > 0 && this.total + bytes > this.maxBytes) this.makeRoom(hold, mine + bytes);
    const client = this.clients.get(hold.client) ?? { held: 0, holds: new Set() };
    this.clients.set(hold.client, client);
    client.holds.add(hold);
    client.held += bytes;
    this.total += bytes;
  }

  free(hold: Hold, bytes: number, all: boolean): void {
    const client = this.clients.get(hold.client);
    if (client === undefined) return;
    client.held -= bytes;
    this.total -= bytes;
    if (all) client.holds.delete(hold);
    if (client.holds.size === 0) this.clients.delete(hold.client);
  }

  /** Ends a body of the client that holds most, if that is more than the one who asks would hold. */
  private makeRoom(asking: Hold, wanted: number): void {
    const most = [...this.clients.values()].reduce((a, b) => (b.held > a.held ? b : a));
    const victim = most.held > wanted ? this.slowest(most, asking) : this.slowest(this.ofAll(), asking);
    if (victim === null) throw overloaded('all clients');
    victim.lose(overloaded('all clients'));
    victim.release();
  }

  private ofAll(): { readonly holds: readonly Hold[] } {
    return { holds: [...this.clients.values()].flatMap(({ holds }) => [...holds]) };
  }

  /** Of bodies that are still coming and slower than the one that asks; null where there is none. */
  private slowest({ holds }: { readonly holds: Iterable<Hold> }, asking: Hold): Hold | null {
    let slowest: Hold | null = null;
    const now = this.now();
    let least = asking.rate(now);
    for (const hold of holds) {
      if (hold === asking || hold.isComplete || now - hold.since < GRACE || hold.rate(now) >= least) continue;
      slowest = hold;
      least = hold.rate(now);
    }
    return slowest;
  }
}

class Hold implements BodyHold {
  isComplete = false;
  /** Bytes that have come, and those that are counted as held. */
  private came = 0;
  private reserved = 0;

  constructor(
    private readonly memory: BodyMemory,
    readonly client: string,
    readonly lose: (reason: ServiceError) => void,
    readonly since: number,
  ) {}

  /** Bytes a second. */
  rate(now: number): number {
    return (this.came * 1000) / Math.max(GRACE, now - this.since);
  }

  take(bytes: number): void {
    this.came += bytes;
    const more = Math.min(bytes, this.came - UNCOUNTED);
    if (more <= 0) return;
    this.memory.reserve(this, more);
    this.reserved += more;
  }

  complete(): void {
    this.isComplete = true;
  }

  release(bytes = this.reserved): void {
    const freed = Math.min(bytes, this.reserved);
    if (freed === 0) return;
    this.reserved -= freed;
    this.memory.free(this, freed, this.reserved === 0);
  }
}

function overloaded(who: string): ServiceError {
  return new ServiceError('OVERLOADED', `as much is being received of ${who} as may be at a time`);
}
