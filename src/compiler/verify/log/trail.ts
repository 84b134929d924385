/**
 * The instructions whose text a log at level 1 still holds: what a path printed is cut back when the next one is taken up.
 * A first run counts them without printing, so that a second one prints these alone.
 */
export class Trail {
  /** Ordinals of printed instructions, rising, and where in the log each began. */
  private readonly ordinals: number[] = [];
  private readonly positions: number[] = [];
  private count = 0;

  /** One more instruction. */
  add(position: number): void {
    this.ordinals.push(this.count++);
    this.positions.push(position);
  }

  /** The log was cut at a position. */
  cut(position: number): void {
    while (this.positions.length > 0 && this.positions.at(-1)! >= position) {
      this.positions.pop();
      this.ordinals.pop();
    }
  }

  /** Goes through all instructions in order: whether the next one is left. */
  follow(): () => boolean {
    let ordinal = 0;
    let at = 0;
    return () => {
      if (this.ordinals[at] !== ordinal++) return false;
      at++;
      return true;
    };
  }
}
