/**
 * One stream of CompileBatch: answers come as they are ready, and a request counts as worked on until its answer has been taken.
 * The stream is not read on while a window of requests is: who sends and never reads stops being read.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Cancellation } from './call.js';
import type { Unsent } from './unsent.js';

/** Requests of one stream that are worked on at a time. */
const WINDOW = 64;

/** An answer; its bytes are not put together before it is its turn to be written. */
export interface BatchAnswer {
  readonly id: string;
  readonly size: number;
  readonly bytes: () => Buffer;
}

export interface BatchParts {
  readonly call: ServerDuplexStream<Buffer, Buffer>;
  readonly gone: Cancellation;
  /** Requests that the client may have under way. */
  readonly concurrency: number;
  /** Of the stream's connection. */
  readonly unsent: Unsent;
  readonly answer: (bytes: Buffer) => Promise<BatchAnswer>;
  /** The answer in place of one that there is no room for. */
  readonly dropped: (answer: BatchAnswer) => BatchAnswer;
}

export function runBatch({ call, gone, concurrency, unsent, answer, dropped }: BatchParts): void {
  const window = Math.min(WINDOW, concurrency);
  let running = 0;
  let ended = false;
  let written = Promise.resolve();

  const finish = (): void => {
    if (--running < window) call.resume();
    if (ended && running === 0) call.end();
  };
  const item = async (bytes: Buffer): Promise<void> => {
    const made = await answer(bytes);
    const sent = unsent.take(made.size) ? made : dropped(made);
    written = written.then(() => write(call, gone.signal, sent.bytes));
    await written;
    if (sent === made) unsent.release(made.size);
  };
  call.on('data', (bytes: Buffer) => {
    if (++running >= window) call.pause();
    void item(bytes).then(finish);
  });
  call.on('end', () => {
    ended = true;
    if (running === 0) call.end();
  });
  call.on('error', () => {
    gone.cancel('the stream broke');
  });
}

/** Resolves when the connection has taken the answer, or nobody waits for it any more. */
function write(call: ServerDuplexStream<Buffer, Buffer>, gone: AbortSignal, bytes: () => Buffer): Promise<void> {
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      gone.removeEventListener('abort', done);
      resolve();
    };
    gone.addEventListener('abort', done);
    call.write(bytes(), done);
  });
}
