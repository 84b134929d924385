/** Asking a running service over HTTP, by the client that this package exports. */
import { ProblemError } from '../client/index.js';
import { Transport, type Outgoing } from '../client/transport.js';
import { CLIENT_KEY } from '../service/config.js';
import { readJson } from '../service/contract/json-read.js';
import { writeJson } from '../service/contract/json-write.js';
import { FailureType, type Message } from '../service/contract/schema.js';
import { UsageError } from './usage.js';

export async function get(server: string, path: string): Promise<unknown> {
  return ask(server, { method: 'GET', path });
}

/** The CompileResponse as JSON; `timeout`: milliseconds for all tries. Throws an Error with the problem's words. */
export async function compileRemotely(server: string, request: Message, timeout?: number): Promise<Message> {
  const headers = { 'content-type': 'application/json' };
  try {
    const outgoing = { method: 'POST', path: 'compile', headers, body: JSON.stringify(request) };
    return (await ask(server, outgoing, timeout)) as Message;
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'INVALID_OBJECT' || error.failure === null) throw error;
    // As compiling in this process says it: an answer with a failure and no programs, in canonical JSON.
    return { failure: writeJson(FailureType, readJson(FailureType, error.failure)) };
  }
}

async function ask(server: string, outgoing: Outgoing, timeout?: number): Promise<unknown> {
  if (!/^https?:/.test(server) || !URL.canParse(server))
    throw new UsageError(`--server ${server} is no URL, such as http://localhost:8080`);
  const key = process.env[CLIENT_KEY];
  const transport = new Transport(server, key === undefined || key === '' ? {} : { key });
  try {
    return await (await transport.send(outgoing, timeout === undefined ? {} : { timeout })).json();
  } catch (error) {
    // fetch says only that it failed; what the system said of it is its cause.
    if (error instanceof TypeError && error.cause instanceof Error) {
      const { code, message } = error.cause as NodeJS.ErrnoException;
      throw new Error(`no answer from ${server}: ${message || String(code)}`, { cause: error });
    }
    throw error;
  }
}
