/** What no cache has: how many a second, how long each takes, and what main thread and workers spend on it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { cpuOf, keepAlive, post } from './asking.js';
import { startService, type ServerProcess } from './processes.js';
import { percentile } from './statistics.js';

const INSTRUCTIONS = Buffer.from('b7000000020000009500000000000000', 'hex').toString('base64');
const OBJECT = readFileSync(join(import.meta.dirname, '../test/objects/maps.o'));

export interface Question {
  readonly type: string;
  readonly body: string | Buffer;
}

/** Two instructions. Each name is another request. */
export function smallProgram(name: string): object {
  return { program: { name, type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions: INSTRUCTIONS } };
}
export const smallQuestion = (n: number): Question => ({
  type: 'application/json',
  body: JSON.stringify(smallProgram(`p${n}`)),
});

/** An object of several programs; what stands behind its section headers is another request, and means nothing. */
const objectQuestion = (n: number): Question => ({
  type: 'application/octet-stream',
  body: Buffer.concat([OBJECT, Buffer.from(String(n).padStart(8, '0'))]),
});

export interface Asked {
  readonly rate: number;
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[];
}

/** So many questions, numbered from `first` on, over so many connections. */
export async function ask(
  { url }: ServerProcess,
  question: (n: number) => Question,
  [first, count]: readonly [number, number],
  connections: number,
): Promise<Asked> {
  const agent = keepAlive(connections);
  const latencies: number[] = [];
  let next = first;
  const started = performance.now();
  const client = async (): Promise<void> => {
    while (next < first + count) {
      const { type, body } = question(next++);
      const asked = performance.now();
      await post(agent, `${url}/compile`, type, body);
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { rate: count / seconds, latencies: latencies.sort((a, b) => a - b) };
}

export const spread = (latencies: readonly number[]): string =>
  [0.5, 0.95, 0.99].map((share) => `p${share * 100} ${percentile(latencies, share).toFixed(1)}`).join(', ') + ' ms';

async function misses(what: string, workers: number, question: (n: number) => Question, count: number): Promise<void> {
  const service = await startService({ BPF_JITD_WORKERS: String(workers) });
  const connections = 4 * workers;
  await ask(service, question, [0, count], connections); // until code is warm
  const before = cpuOf(service);
  const { rate, latencies } = await ask(service, question, [count, count], connections);
  const after = cpuOf(service);
  await service.stop();
  const each = (to: number, from: number): string => ((to - from) / count).toFixed(2);
  const cpu =
    before === null || after === null
      ? ''
      : `; CPU ms each: main ${each(after.main, before.main)}, workers ${each(after.others, before.others)}`;
  const name = `misses, ${what}, ${workers} worker${workers === 1 ? '' : 's'}`;
  console.log(`${name.padEnd(44)} ${rate.toFixed(0).padStart(8)}/s ${spread(latencies)}${cpu}`);
}

export async function benchMisses(): Promise<void> {
  for (const workers of [1, 2]) await misses('2 instructions', workers, smallQuestion, 4000);
  for (const workers of [1, 2]) await misses(`an object of ${OBJECT.length} bytes`, workers, objectQuestion, 1500);
}
