/** Puts objects to kernels, several at a time. What goes wrong with one is a row, too: the others are asked all the same. */
import { readFile } from 'node:fs/promises';
import type { CompileRequestMessage } from '../../service/contract/messages.js';
import type { AnswerJson, FailureJson } from '../answer.js';

/** One object on one kernel. */
export interface Asked {
  readonly file: string;
  readonly kernel: string;
  readonly answer: AnswerJson | null;
  /** Why there is no answer. */
  readonly error: FailureJson | null;
}

export interface Question {
  readonly object: Uint8Array;
  readonly kernel: string;
  readonly options: NonNullable<CompileRequestMessage['options']>;
}

/** Who answers: threads of this process, or a service. */
export interface Asker {
  /** Questions that it takes at a time. */
  readonly concurrency: number;
  ask(question: Question): Promise<AnswerJson>;
  close(): Promise<void>;
}

/**
 * Asks `asker` for every file on every kernel; the answers come in that order, files first. `done` hears of each answer as it
 * comes. Never throws for what one object or one question does.
 */
export async function askAll(
  asker: Asker,
  files: readonly string[],
  kernels: readonly string[],
  options: Question['options'],
  done: (asked: Asked) => void,
): Promise<readonly Asked[]> {
  const questions = files.flatMap((file) => {
    const object = once(() => readFile(file));
    return kernels.map((kernel) => ({ file, kernel, object }));
  });
  const answers = new Array<Asked>(questions.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < questions.length) {
      const index = next++;
      const { file, kernel, object } = questions[index]!;
      const place = { file, kernel };
      try {
        const answer = await asker.ask({ object: await object(), kernel, options });
        answers[index] = { ...place, answer, error: null };
      } catch (error) {
        answers[index] = { ...place, answer: null, error: reasonOf(error) };
      }
      done(answers[index]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(asker.concurrency, questions.length) }, work));
  return answers;
}

/** An error of the system, of the service or of time, as a failure has it. */
function reasonOf(error: unknown): FailureJson {
  if (!(error instanceof Error)) return { code: 'NOT_TRIED', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'NOT_TRIED';
  const message = 'detail' in error && typeof error.detail === 'string' ? error.detail : error.message;
  return { code, message: message.replace(`${code}: `, '') };
}

/** The kernels of one file share what was read, and the file is let go with the last of them. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}
