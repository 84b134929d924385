/** What a stage answers: a value, or a failure that names the place. A throw is our own bug, never an answer. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** The stage of the way through at which a program failed. */
export type Stage = 'LOAD' | 'VERIFY' | 'JIT' | 'LINK';

export interface Failure {
  readonly stage: Stage;
  /** Stable, in capitals: a client may switch on it. */
  readonly code: string;
  /** One sentence for people; for LOAD failures what libbpf would say. */
  readonly message: string;
  /** As bpf(2) would answer: 0 or negative. */
  readonly errno: number;
  /** Instruction index, where the failure has one. */
  readonly instruction?: number;
  /** Subprogram index and name. */
  readonly subprogram?: string;
  /** ELF section, symbol, and byte offset in the section, where the failure lies in an object. */
  readonly section?: string;
  readonly symbol?: string;
  readonly offset?: number;
  /** `file:line` of the source, where line information tells. */
  readonly source?: string;
  /** The state of the register at fault, as the log prints it. */
  readonly register?: string;
}

export function ok<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function fail(failure: Failure): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure };
}
