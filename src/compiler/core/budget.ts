/**
 * Steps that resolving one object may take. Real objects take thousands; types that nest into each other on purpose could
 * take billions. When the budget is spent, searches end with -E2BIG.
 */
export class Budget {
  constructor(private left: number) {}

  /** Takes `steps`; false when there are none left. */
  spend(steps: number): boolean {
    this.left -= steps;
    return this.left >= 0;
  }
}

/** Many times what the largest real objects take; spent within a second. */
export const OBJECT_STEPS = 2_000_000;
