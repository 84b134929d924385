/** Asking a running service over HTTP. */
import { CLIENT_KEY } from '../service/config.js';
import type { Message } from '../service/contract/schema.js';

interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly failure?: unknown;
}

export async function get(server: string, path: string): Promise<unknown> {
  return answer(await fetch(new URL(path, server), { headers: credentials() }));
}

/** The CompileResponse as JSON. Throws an Error with the problem's words. */
export async function compileRemotely(server: string, request: Message): Promise<Message> {
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...credentials() };
  const response = await fetch(new URL('/compile', server), { method: 'POST', headers, body: JSON.stringify(request) });
  return (await answer(response)) as Message;
}

function credentials(): Record<string, string> {
  const key = process.env[CLIENT_KEY];
  return key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` };
}

async function answer(response: Response): Promise<unknown> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  const problem = body as ProblemBody | null;
  // As compiling in this process says it: an answer with a failure and no programs.
  if (problem?.code === 'INVALID_OBJECT' && problem.failure !== undefined) return { failure: problem.failure };
  throw new Error(`${problem?.code ?? `HTTP ${response.status}`}: ${problem?.detail ?? response.statusText}`);
}
