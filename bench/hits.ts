/**
 * Cache hits over HTTP beside a bare Fastify route with the same bytes: each server a process of its own, the clients in this
 * one, both measured in turns, so that what else the machine does falls on both.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { startServer, type ServerProcess } from './processes.js';
import { median } from './statistics.js';

/** Many and short: what else the machine does then falls on some of them alone. */
const ROUNDS = 11;
const ROUND_SECONDS = 1;
const WARM_SECONDS = 3;
const CONNECTIONS = 20;

const HEADERS = { 'content-type': 'application/json' };

export interface HitRates {
  /** Requests a second, the median of all rounds. */
  readonly bare: number;
  readonly hits: number;
  /** The median of the rounds' ratios. */
  readonly ratio: number;
  /** The lowest and the highest of them. */
  readonly range: readonly [number, number];
  /** How busy the clients were at most, of 1: near it, they and not the servers were what was measured. */
  readonly clients: number;
}

/** `body` is asked for until its answer is in the cache, and then again and again. */
export async function measureHits(service: ServerProcess, body: string): Promise<HitRates> {
  const url = `${service.url}/compile`;
  const answer = Buffer.from(await (await fetch(url, { method: 'POST', headers: HEADERS, body })).arrayBuffer());
  const bare = await startBareRoute(answer);
  try {
    return await inTurns(`${bare.url}/compile`, url, body);
  } finally {
    await bare.stop();
  }
}

async function inTurns(bareUrl: string, url: string, body: string): Promise<HitRates> {
  for (const one of [bareUrl, url]) await rate(one, body, WARM_SECONDS);
  const rounds: { readonly bare: number; readonly hits: number }[] = [];
  let clients = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const before = performance.eventLoopUtilization();
    const first = await rate(i % 2 === 0 ? bareUrl : url, body, ROUND_SECONDS);
    const second = await rate(i % 2 === 0 ? url : bareUrl, body, ROUND_SECONDS);
    clients = Math.max(clients, performance.eventLoopUtilization(before).utilization);
    rounds.push(i % 2 === 0 ? { bare: first, hits: second } : { bare: second, hits: first });
  }
  const ratios = rounds.map(({ bare, hits }) => hits / bare);
  return {
    bare: median(rounds.map(({ bare }) => bare)),
    hits: median(rounds.map(({ hits }) => hits)),
    ratio: median(ratios),
    range: [Math.min(...ratios), Math.max(...ratios)],
    clients,
  };
}

async function startBareRoute(answer: Buffer): Promise<ServerProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-bare-'));
  const file = join(dir, 'answer');
  writeFileSync(file, answer);
  const script = fileURLToPath(new URL('./bare-route.ts', import.meta.url));
  return startServer(['--import=tsx', script, file], {}, () => {
    rmSync(dir, { recursive: true, force: true });
  });
}

/** Answers a second. Throws where one is none. */
async function rate(url: string, body: string, duration: number): Promise<number> {
  const result = await autocannon({ url, method: 'POST', headers: HEADERS, body, connections: CONNECTIONS, duration });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} refusals, ${result.errors} errors`);
  return result['2xx'] / result.duration;
}
