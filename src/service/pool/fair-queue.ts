/**
 * What waits for a worker, in fair turns: a queue for each client, and the client that has had least is next. What a client has
 * had is counted in milliseconds of work, first by what a task is expected to take, and by what it took when that is known. A
 * client that comes, or comes again, begins where those are that are served: nobody saves up turns by idling.
 */
export interface Waiting {
  readonly client: string;
  /** Milliseconds that it is expected to take. */
  readonly cost: number;
}

interface Flow<T> {
  /** Milliseconds that the client has had. */
  had: number;
  readonly waiting: T[];
}

export class FairQueue<T extends Waiting> {
  private readonly flows = new Map<string, Flow<T>>();
  /** What clients have had who are served now. */
  private level = 0;
  private total = 0;

  get size(): number {
    return this.total;
  }

  push(task: T): void {
    this.flow(task.client).waiting.push(task);
    this.total++;
  }

  /** Before all others of its client: it had its turn, and lost it. */
  pushFirst(task: T): void {
    this.flow(task.client).waiting.unshift(task);
    this.total++;
  }

  /** The next one that may run now; null where none may. */
  take(mayRun: (task: T) => boolean): T | null {
    let next: T | null = null;
    let least: Flow<T> | null = null;
    for (const [client, flow] of this.flows) {
      if (flow.waiting.length === 0) {
        if (flow.had <= this.level) this.flows.delete(client); // nothing is owed on either side
        continue;
      }
      if (least !== null && flow.had >= least.had) continue;
      const task = flow.waiting.find(mayRun);
      if (task === undefined) continue;
      next = task;
      least = flow;
    }
    if (next === null || least === null) return null;
    this.level = Math.max(this.level, least.had);
    least.had += next.cost;
    this.remove(next);
    return next;
  }

  /** What a task took beyond its cost, or less. */
  charge(client: string, milliseconds: number): void {
    const flow = this.flow(client);
    flow.had = Math.max(this.level, flow.had + milliseconds);
  }

  remove(task: T): void {
    const waiting = this.flows.get(task.client)?.waiting ?? [];
    const at = waiting.indexOf(task);
    if (at < 0) return;
    waiting.splice(at, 1);
    this.total--;
  }

  /** The one to go where there is no room for all: the last of the client with the most. Null where nothing waits. */
  surplus(): T | null {
    let most: readonly T[] = [];
    for (const { waiting } of this.flows.values()) if (waiting.length >= most.length) most = waiting;
    return most.at(-1) ?? null;
  }

  private flow(client: string): Flow<T> {
    let flow = this.flows.get(client);
    if (flow === undefined) {
      flow = { had: this.level, waiting: [] };
      this.flows.set(client, flow);
    }
    if (flow.waiting.length === 0) flow.had = Math.max(flow.had, this.level);
    return flow;
  }
}
