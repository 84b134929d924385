/** What an instance holds of the others: its connections to the Redis that they share. */
import { Bus } from './bus.js';
import { Leases } from './lease.js';
import { RedisLink } from './link.js';

/** Milliseconds of one operation that a request waits for, and could do without. */
const QUICK = 100;
/** … and of one that moves megabytes, or that nothing can be done without. */
const PATIENT = 5000;

export class Cluster {
  readonly quick: RedisLink;
  readonly patient: RedisLink;
  readonly bus: Bus;
  readonly leases: Leases;

  /** `lease`: milliseconds after which what belonged to a dead instance is free. */
  constructor(
    readonly url: string,
    readonly lease: number,
    readonly onError: (error: unknown) => void,
  ) {
    this.quick = new RedisLink(url, { timeout: QUICK, rest: 5000 }, onError);
    this.patient = new RedisLink(url, { timeout: PATIENT, rest: 500 }, onError);
    this.bus = new Bus(url);
    this.leases = new Leases(this.quick, lease);
  }

  close(): void {
    this.quick.close();
    this.patient.close();
    this.bus.close();
  }
}
