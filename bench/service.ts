/** Cache hits over HTTP and gRPC beside a bare Fastify route with the same bytes; cold compilations by workers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Client, credentials } from '@grpc/grpc-js';
import autocannon from 'autocannon';
import Fastify from 'fastify';
import { pino } from 'pino';
import { readConfig } from '../src/service/config.js';
import { CompileRequestType, encode, type Message } from '../src/service/contract/schema.js';
import { startService, type RunningService } from '../src/service/start.js';

const SECONDS = 5;
const CONNECTIONS = 20;
const COLD = 400;

const INSTRUCTIONS = Buffer.from('b7000000020000009500000000000000', 'hex');
const program = (name: string): Message => ({ program: { name, type: 6, license: 'GPL', instructions: INSTRUCTIONS } });
const json = (name: string): string =>
  JSON.stringify({
    program: { name, type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions: INSTRUCTIONS.toString('base64') },
  });

async function withService<T>(workers: number, work: (service: RunningService) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-bench-'));
  const env = {
    BPF_JITD_PORT: '0',
    BPF_JITD_GRPC_PORT: '0',
    BPF_JITD_DATA_DIR: dir,
    BPF_JITD_WORKERS: String(workers),
  };
  const service = await startService(readConfig(env), { logger: pino({ level: 'silent' }) });
  try {
    return await work(service);
  } finally {
    await service.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function rate(url: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const run = (duration: number): Promise<autocannon.Result> =>
    autocannon({ url, method: 'POST', headers, body, connections: CONNECTIONS, duration });
  await run(1);
  const result = await run(SECONDS);
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} refusals, ${result.errors} errors`);
  return result.requests.average;
}

/** A route that does nothing but send these bytes. */
async function bareRoute(answer: Buffer, body: string): Promise<number> {
  const app = Fastify();
  app.post('/compile', (_request, reply) => reply.header('content-type', 'application/json').send(answer));
  const url = await app.listen({ port: 0 });
  const result = await rate(`${url}/compile`, body);
  await app.close();
  return result;
}

async function grpcHits(service: RunningService): Promise<number> {
  const client = new Client(service.grpcAddress, credentials.createInsecure());
  const identity = (bytes: Buffer): Buffer => bytes;
  const request = Buffer.from(encode(CompileRequestType, program('hit')));
  const call = (): Promise<void> =>
    new Promise((done, failed) => {
      client.makeUnaryRequest('/bpfjit.v1.JitService/Compile', identity, identity, request, (error) => {
        if (error === null) done();
        else failed(error);
      });
    });
  await call();
  let count = 0;
  const until = performance.now() + SECONDS * 1000;
  const loop = async (): Promise<void> => {
    while (performance.now() < until) {
      await call();
      count++;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, loop));
  client.close();
  return count / SECONDS;
}

/** Programs that differ in their names: none is answered from a cache. */
async function cold(service: RunningService, workers: number): Promise<number> {
  const url = `${service.url}/compile`;
  const headers = { 'content-type': 'application/json' };
  let next = 0;
  const run = async (until: number): Promise<void> => {
    while (next < until) await (await fetch(url, { method: 'POST', headers, body: json(`p${next++}`) })).arrayBuffer();
  };
  const clients = (until: number): Promise<unknown> =>
    Promise.all(Array.from({ length: workers * 4 }, () => run(until)));
  await clients(100);
  const started = performance.now();
  await clients(100 + COLD);
  return COLD / ((performance.now() - started) / 1000);
}

const line = (name: string, value: number, more = ''): void => {
  console.log(`${name.padEnd(44)} ${value.toFixed(0).padStart(8)}/s ${more}`);
};

export async function serviceBench(): Promise<void> {
  await withService(1, async (service) => {
    const url = `${service.url}/compile`;
    const headers = { 'content-type': 'application/json' };
    const answer = Buffer.from(await (await fetch(url, { method: 'POST', headers, body: json('hit') })).arrayBuffer());
    const bare = await bareRoute(answer, json('hit'));
    const hits = await rate(url, json('hit'));
    line('bare Fastify route, the same bytes', bare);
    line('cache hits, HTTP', hits, `${(hits / bare).toFixed(2)} of the bare route`);
    line('cache hits, gRPC', await grpcHits(service));
    line('cold compilations of 2 instructions, 1 worker', await cold(service, 1));
  });
  await withService(2, async (service) => {
    line('cold compilations of 2 instructions, 2 workers', await cold(service, 2));
  });
}
