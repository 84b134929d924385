/** What one asks of a server in another process, and what it takes of the processor meanwhile. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import type { ServerProcess } from './processes.js';

/** Milliseconds of CPU that a process has taken. */
export interface Cpu {
  readonly main: number;
  /** Of all other threads together: workers, and what collects garbage and compiles for them. */
  readonly others: number;
}

/** By Linux' schedstat; null elsewhere. */
export function cpuOf({ pid }: ServerProcess): Cpu | null {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return null;
  let [main, others] = [0, 0];
  for (const thread of readdirSync(tasks)) {
    const milliseconds = Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    if (Number(thread) === pid) main += milliseconds;
    else others += milliseconds;
  }
  return { main, others };
}

export const keepAlive = (connections: number): Agent => new Agent({ keepAlive: true, maxSockets: connections });

/** A POST; the answer's body. Rejects on any status but 2xx. */
export function post(agent: Agent, url: string, type: string, body: Buffer | string): Promise<string> {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  return new Promise((done, failed) => {
    const request = httpRequest(url, { agent, method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (Math.trunc(response.statusCode! / 100) === 2) done(text);
        else failed(new Error(text));
      });
    });
    request.on('error', failed);
    request.end(body);
  });
}
