/** A verification, the best of several. */
export interface VerificationTime {
  readonly milliseconds: number;
  readonly instructions: number;
}

/** A figure, or in one line why there is none. */
export type Measured<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Thousand instructions a second. */
export function rate({ instructions, milliseconds }: VerificationTime): number {
  return instructions / milliseconds;
}

/** The fastest of several, or the reason why there is none. */
export function best(all: readonly Measured<VerificationTime>[]): Measured<VerificationTime> {
  return all.reduce((a, b) => (!a.ok || !b.ok ? (a.ok ? b : a) : b.value.milliseconds < a.value.milliseconds ? b : a));
}
