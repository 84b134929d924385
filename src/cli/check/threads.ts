/** Answers in this process: the service's pool of workers, on every core. */
import { checkRequest } from '../../service/contract/request.js';
import { CompileRequestType, CompileResponseType, encode, type Message } from '../../service/contract/schema.js';
import { writeJson } from '../../service/contract/json-write.js';
import { ServiceError } from '../../service/errors.js';
import { CompilePool } from '../../service/pool/pool.js';
import { readTarget } from '../../service/targets.js';
import type { AnswerJson } from '../answer.js';
import type { Asker, Question } from './ask.js';

export interface ThreadsOptions {
  readonly kernels: readonly string[];
  /** Worker threads. */
  readonly threads: number;
  /** Milliseconds that one object may take on one kernel. */
  readonly timeout: number;
  /** MiB of heap that one may take. */
  readonly memory: number;
}

export class Threads implements Asker {
  readonly concurrency: number;
  private readonly pool: CompilePool;

  constructor(private readonly options: ThreadsOptions) {
    const { kernels, threads, memory } = options;
    this.concurrency = threads;
    this.pool = new CompilePool({
      workers: threads,
      maxQueue: threads,
      workerMemory: memory,
      setup: { targets: kernels.map((name) => readTarget(name)) },
    });
  }

  /** Throws ServiceError for what cannot be tried, DEADLINE_EXCEEDED where it took too long. */
  async ask({ object, kernel, options }: Question): Promise<AnswerJson> {
    const request = encode(CompileRequestType, checkRequest({ object, target: { kernel }, options }));
    const task = { request, digest: '', target: kernel, tenant: '', stored: [], json: false, traced: false };
    const { timeout } = this.options;
    const deadline = new AbortController();
    const late = new ServiceError('DEADLINE_EXCEEDED', `took longer than ${timeout} ms`);
    const timer = setTimeout(() => deadline.abort(late), timeout);
    try {
      const { result } = await this.pool.run(task, deadline.signal);
      if ('field' in result) throw new Error('BTF that nobody named cannot be used');
      return writeJson(CompileResponseType, CompileResponseType.decode(result.protobuf) as unknown as Message) as never;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}
