/**
 * Whose turn it is, by self-clocked fair queueing (Golestani 1994): each task gets a number, a flow's numbers grow by what
 * its turns cost, and the lowest is next. A flow that begins does so at the number that is being served, so that it waits
 * for one turn of each other flow and nobody saves up turns by idling.
 */
export class Turns {
  private served = 0;
  private readonly last = new Map<string, number>();

  /** The number of a flow's first new task; those of `count` tasks lie `cost` apart. */
  take(flow: string, count: number, cost: number): number {
    const first = Math.max(this.served, this.last.get(flow) ?? 0) + cost;
    this.last.set(flow, first + (count - 1) * cost);
    return first;
  }

  /** A task's turn has come. */
  serve(turn: number): void {
    this.served = Math.max(this.served, turn);
    for (const [flow, last] of this.last) if (last <= this.served) this.last.delete(flow);
  }
}
