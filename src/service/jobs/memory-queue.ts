/** Tasks in the order of their turns: a queue for each flow, the flow whose head has the lowest number first. */
import { Turns } from './turns.js';

interface Entry<T> {
  readonly value: T;
  readonly turn: number;
}

export class MemoryQueue<T> {
  private readonly turns = new Turns();
  private readonly flows = new Map<string, Entry<T>[]>();

  push(flow: string, values: readonly T[], cost: number): void {
    const first = this.turns.take(flow, values.length, cost);
    const entries = this.flows.get(flow) ?? [];
    values.forEach((value, i) => entries.push({ value, turn: first + i * cost }));
    this.flows.set(flow, entries);
  }

  /** The next task, or null. */
  shift(): T | null {
    let best: Entry<T>[] | null = null;
    let name = '';
    for (const [flow, entries] of this.flows) {
      if (best !== null && best[0]!.turn <= entries[0]!.turn) continue;
      best = entries;
      name = flow;
    }
    const next = best?.shift();
    if (next === undefined) return null;
    if (best!.length === 0) this.flows.delete(name);
    this.turns.serve(next.turn);
    return next.value;
  }
}
