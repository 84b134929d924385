/** Jobs of a thousand requests, in memory and over Redis with the roles apart; and misses that go through the queue. */
import { performance } from 'node:perf_hooks';
import { skip, TestRedis } from '../test/service/fixtures/redis.js';
import { keepAlive, post } from './asking.js';
import { ask, smallProgram, smallQuestion, spread } from './misses.js';
import { startService, type ServerProcess } from './processes.js';

const ITEMS = 1000;
const WORKERS = { BPF_JITD_WORKERS: '2' };

/** Submits one, and watches it to its end; requests a second. */
async function batch({ url }: ServerProcess, round: number): Promise<number> {
  const requests = Array.from({ length: ITEMS }, (_, i) => smallProgram(`j${round}x${i}`));
  const body = JSON.stringify({ requests });
  const agent = keepAlive(1);
  const started = performance.now();
  const { id } = JSON.parse(await post(agent, `${url}/jobs`, 'application/json', body)) as { id: string };
  const events = await (await fetch(`${url}/jobs/${id}/events`)).text(); // ends with the job
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  if (!/"state":"SUCCEEDED","total":1000,"finished":1000/.test(events)) throw new Error(events.slice(-500));
  return ITEMS / seconds;
}

async function batches(service: ServerProcess): Promise<string> {
  await batch(service, 0);
  const rates = [await batch(service, 1), await batch(service, 2), await batch(service, 3)];
  return `${Math.max(...rates)
    .toFixed(0)
    .padStart(8)}/s (the best of 3)`;
}

const line = (name: string, value: string): void => {
  console.log(`${name.padEnd(44)} ${value}`);
};

export async function benchJobs(): Promise<void> {
  const alone = await startService(WORKERS);
  line(`a job of ${ITEMS}, in memory`, await batches(alone));
  await alone.stop();
  if (skip !== false) {
    line(`a job of ${ITEMS}, over Redis`, `    not measured: ${skip}`);
    return;
  }
  const ends: (() => Promise<void>)[] = [];
  const redis = await TestRedis.start({ teardown: (end) => ends.push(end) });
  const shared = { BPF_JITD_REDIS_URL: redis.url };
  const worker = await startService({ ...shared, ...WORKERS, BPF_JITD_ROLE: 'worker' });
  const api = await startService({ ...shared, BPF_JITD_ROLE: 'api' });
  line(`a job of ${ITEMS}, over Redis, roles apart`, await batches(api));
  await ask(api, smallQuestion, [0, 1000], 16);
  for (const [connections, first] of [
    [1, 10_000],
    [16, 20_000],
  ] as const) {
    const { rate, latencies } = await ask(api, smallQuestion, [first, 1000], connections);
    line(`misses through the queue, ${connections} at a time`, `${rate.toFixed(0).padStart(8)}/s ${spread(latencies)}`);
  }
  await api.stop();
  await worker.stop();
  for (const end of ends) await end();
}
