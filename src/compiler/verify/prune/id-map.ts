import { MAX_IDS } from '../limits.js';
import { ADD_CONST } from '../state.js';

/** Which id of the state walked now stands for which id of the one walked before (struct bpf_idmap). */
export class IdMap {
  private readonly old: number[] = [];
  private readonly cur: number[] = [];
  private count = 0;
  /** Last id given to registers that have none. */
  private temporary = 0;

  reset(lastId: number): void {
    this.count = 0;
    this.temporary = lastId;
  }

  /** Whether both ids are unset, or stand for each other; a pair seen first is remembered. */
  match(old: number, cur: number): boolean {
    if ((old !== 0) !== (cur !== 0)) return false;
    if (old === 0) return true;
    for (let i = 0; i < this.count; i++) {
      if (this.old[i] === old) return this.cur[i] === cur;
      if (this.cur[i] === cur) return false;
    }
    if (this.count === MAX_IDS) return false;
    this.old[this.count] = old;
    this.cur[this.count++] = cur;
    return true;
  }

  /** match() for scalars: an old scalar without id may become linked, since that only narrows it. */
  matchScalar(old: number, cur: number): boolean {
    if (old === 0) return true;
    const id = cur === 0 ? ++this.temporary : cur;
    if (!this.match(old, id)) return false;
    return (old & ADD_CONST) === 0 || this.match(old & ~ADD_CONST, id & ~ADD_CONST);
  }
}
