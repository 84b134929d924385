/**
 * A refusal as a value: which one out of the catalogue, and its operands. Sentences are made of it when somebody reads them.
 *
 * Each file of this folder is a part of the catalogue: all ways in which a program can be refused, by what is looked at.
 * docs/refusals.md is generated from it.
 */
import type { RefusalClass } from './classes.js';

/** An entry as it stands in the catalogue. */
interface Entry {
  readonly class: RefusalClass;
  /** bpf(2)'s errno, positive; absent where it depends on more than the refusal. */
  readonly errno?: number;
  /** The first operand is a register of the current frame: what it holds is told with the failure. */
  readonly register?: true;
  /** The kernel's sentence does not end its line. */
  readonly unterminated?: true;
  /** The kernel refuses without a word: the sentence is ours, and not in the log. */
  readonly silent?: true;
  /** Which operand is the instruction that the failure goes back to. */
  readonly cause?: number;
  /** One line for people: what the program must do or be. */
  readonly means: string;
  /** The kernel's sentence, without the line's end. */
  readonly sentence: (...operands: never[]) => string;
}

export type Operands = readonly unknown[];

/** A way to be refused. `A`: the types of its operands. */
export interface Refusal<A extends Operands = never> extends Omit<Entry, 'sentence'> {
  readonly id: string;
  readonly sentence: (...operands: [...A]) => string;
}

/** One with an errno of its own. */
export interface FixedRefusal<A extends Operands = never> extends Refusal<A> {
  readonly errno: number;
}

type Catalogue<T extends Readonly<Record<string, Entry>>> = {
  readonly [K in keyof T]: T[K] extends { errno: number }
    ? FixedRefusal<Parameters<T[K]['sentence']>>
    : Refusal<Parameters<T[K]['sentence']>>;
};

/** Gives each entry its name as `id`. */
export function catalogue<T extends Readonly<Record<string, Entry>>>(entries: T): Catalogue<T> {
  return Object.fromEntries(
    Object.entries(entries).map(([id, entry]) => [id, { id, ...entry }]),
  ) as unknown as Catalogue<T>;
}

/**
 * What kernels say in other words: sentences by id, of the same operands. A kernel's behaviour brings its own; what is not
 * in it is said as the catalogue does.
 */
export type Wording = Readonly<Record<string, ((...operands: never[]) => string) | undefined>>;

/** A refusal that has happened. */
export class Refused {
  constructor(
    readonly kind: Refusal,
    readonly operands: Operands,
    /** What was said before it of the same thing, of which it is the outer view; null where nothing was. */
    readonly before: Refused | null,
  ) {}

  /** Its own sentence, which may have several lines. */
  sentence(wording: Wording): string {
    const say = (wording[this.kind.id] ?? this.kind.sentence) as (...operands: Operands) => string;
    return say(...this.operands);
  }

  /** All sentences of it, the innermost first. */
  message(wording: Wording): string {
    const own = this.sentence(wording);
    return this.before === null || this.before.kind.silent === true ? own : `${this.before.message(wording)}\n${own}`;
  }
}
