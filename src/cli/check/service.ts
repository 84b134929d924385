/** Answers from a running service, several requests under way at a time, each tried again where the service says so. */
import { CompileRequestType, type Message } from '../../service/contract/schema.js';
import { writeJson } from '../../service/contract/json-write.js';
import type { AnswerJson } from '../answer.js';
import { compileRemotely } from '../remote.js';
import type { Asker, Question } from './ask.js';

export interface ServiceOptions {
  readonly url: string;
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** Milliseconds that one may take, all tries together. */
  readonly timeout: number;
}

export class Service implements Asker {
  readonly concurrency: number;

  constructor(private readonly options: ServiceOptions) {
    this.concurrency = options.concurrency;
  }

  /** Throws ProblemError, TimeoutError, or an Error that names the service where it cannot be reached. */
  async ask({ object, kernel, options }: Question): Promise<AnswerJson> {
    const request = writeJson(CompileRequestType, { object, target: { kernel }, options } as Message);
    const { url, timeout } = this.options;
    return (await compileRemotely(url, request, timeout)) as AnswerJson;
  }

  async close(): Promise<void> {}
}
