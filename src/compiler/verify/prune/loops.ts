import type { State } from '../env.js';

/**
 * Loops of states: iterators, may_goto and callbacks lead back to instructions whose states are not finished, so that
 * their liveness and precision is not final. Each state of a loop points to the loop's first state in the search
 * (Wei et al., "A New Algorithm for Identifying Loops in Decompilation"; Linux 6.12 get_loop_entry).
 */
export function loopEntryOf(state: State): State | null {
  let topmost = state.loopEntry;
  while (topmost !== null && topmost.loopEntry !== null && topmost !== topmost.loopEntry) topmost = topmost.loopEntry;
  let walk: State | null = state;
  while (walk !== null && walk.loopEntry !== topmost) {
    const next: State | null = walk.loopEntry;
    walk.loopEntry = topmost;
    walk = next;
  }
  return topmost;
}

/** `cur` leads to `header`: if that one is still being explored, both are of the loop that its first state heads. */
export function updateLoopEntry(cur: State, header: State): void {
  const curTop = loopEntryOf(cur) ?? cur;
  const headerTop = loopEntryOf(header) ?? header;
  if (headerTop.branches > 0 && headerTop.dfsDepth <= curTop.dfsDepth) {
    cur.loopEntry = header;
    header.usedAsLoopEntry = true;
  }
}

/** A path has ended: counts it off all states it alone was left of. */
export function updateBranchCounts(state: State): void {
  for (let st: State | null = state; st !== null; st = st.parent) {
    st.branches--;
    if (st.branches === 0 && st.parent !== null && st.loopEntry !== null) updateLoopEntry(st.parent, st.loopEntry);
    if (st.branches !== 0) break;
  }
}
