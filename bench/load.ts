/**
 * npm run load -- [SECONDS] (600): a service as a process, 200 connections that never rest, and a mix of what a build farm sends:
 * answers known and new, rejections, garbage; HTTP and gRPC. Ends with 1 where anything but a stated refusal came back.
 */
import { randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Client, credentials } from '@grpc/grpc-js';
import { ERRORS } from '../src/service/errors.js';
import { CompileRequestType, encode } from '../src/service/contract/schema.js';
import { startService } from './processes.js';
import { leastOf, percentile, slope, type Sample } from './statistics.js';

const SECONDS = Number(process.argv[2] ?? 600);
const HTTP_CONNECTIONS = 180;
const GRPC_CONNECTIONS = 20;
/** Programs that are asked for again and again. */
const HOT = 200;
/** Share of the run after which memory is looked at: caches are full, code is warm, and each worker has collected its garbage once. */
const WARM = 0.4;
/** Minutes in which a heap is collected at least once: the least of each window is what is held, the rest is garbage. */
const WINDOW = 1;

const PASS = Buffer.from('b7000000020000009500000000000000', 'hex');
/** r0 is read before it was written. */
const REJECTED = Buffer.from('9500000000000000', 'hex');

type Kind = 'hit' | 'miss' | 'rejection' | 'garbage' | 'grpc';
interface Outgoing {
  readonly kind: Kind;
  readonly path: string;
  readonly type: string;
  readonly body: Buffer | string;
}

let unique = 0;
const program = (name: string, instructions: Buffer): string =>
  JSON.stringify({
    program: { name, type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions: instructions.toString('base64') },
    options: { logLevel: 1 },
  });
const json = (kind: Kind, body: string): Outgoing => ({ kind, path: '/compile', type: 'application/json', body });

const GARBAGE: readonly (() => Outgoing)[] = [
  () => json('garbage', '{"program": {'),
  () => json('garbage', program('x', randomBytes(64))),
  () => json('garbage', '{"program": {"instructions": "%%%"}}'),
  () => json('garbage', '{"program": {"type": 6}, "target": {"kernel": "linux-0.1"}}'),
  () => ({ ...json('garbage', ''), type: 'text/html', body: '<html>' }),
  () => ({ ...json('garbage', ''), type: 'application/octet-stream', body: randomBytes(512) }),
  () => ({ ...json('garbage', ''), type: 'application/x-protobuf', body: randomBytes(200) }),
  () => ({ ...json('garbage', '{}'), path: `/nowhere/${unique++}` }),
];

function next(): Outgoing {
  const dice = Math.random();
  if (dice < 0.7) return json('hit', program(`hot${Math.trunc(Math.random() * HOT)}`, PASS));
  if (dice < 0.85) return json('miss', program(`m${unique++}`, PASS));
  if (dice < 0.95) return json('rejection', program(`r${unique++}`, REJECTED));
  return GARBAGE[Math.trunc(Math.random() * GARBAGE.length)]!();
}

const latencies: Record<Kind, number[]> = { hit: [], miss: [], rejection: [], garbage: [], grpc: [] };
const refusals = new Map<string, number>();
const errors = new Map<string, number>();
const count = (map: Map<string, number>, what: string): void => {
  map.set(what, (map.get(what) ?? 0) + 1);
};

/** A 200, or a problem whose code is stated and no defect. */
function judge(kind: Kind, status: number, body: Buffer): void {
  if (status === 200) {
    if (kind === 'rejection' && !body.includes('"accepted":false')) count(errors, 'a bad program was accepted');
    return;
  }
  const { code = 'none' } = JSON.parse(body.toString()) as { code?: string };
  const stated = code in ERRORS && ERRORS[code as keyof typeof ERRORS].http === status;
  const defect = code === 'INTERNAL' || code === 'WORKER_LOST';
  count(!stated || defect || (kind !== 'garbage' && status < 500) ? errors : refusals, `${status} ${code}`);
}

const agent = new Agent({ keepAlive: true, maxSockets: HTTP_CONNECTIONS });

function send(url: string, { kind, path, type, body }: Outgoing): Promise<void> {
  return new Promise((done) => {
    const started = performance.now();
    const options = {
      agent,
      method: 'POST',
      headers: { 'content-type': type, 'content-length': Buffer.byteLength(body) },
    };
    const request = httpRequest(url + path, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        latencies[kind].push(performance.now() - started);
        judge(kind, response.statusCode!, Buffer.concat(chunks));
        done();
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      count(errors, error.code ?? error.message);
      done();
    });
    request.end(body);
  });
}

const same = (bytes: Buffer): Buffer => bytes;

function call(client: Client): Promise<void> {
  return new Promise((done) => {
    const started = performance.now();
    const name = Math.random() < 0.5 ? `g${Math.trunc(Math.random() * HOT)}` : `g${HOT + unique++}`;
    const message = { program: { name, type: 6, license: 'GPL', instructions: PASS } };
    const bytes = Buffer.from(encode(CompileRequestType, message));
    client.makeUnaryRequest('/bpfjit.v1.JitService/Compile', same, same, bytes, (error) => {
      latencies.grpc.push(performance.now() - started);
      if (error !== null) count(error.details.startsWith('QUEUE_FULL') ? refusals : errors, `gRPC ${error.details}`);
      done();
    });
  });
}

/** Small enough to be full soon: what grows after that is a leak. */
const SETTINGS = {
  BPF_JITD_MEMORY_CACHE: String(8 << 20),
  BPF_JITD_DISK_CACHE: String(16 << 20),
  BPF_JITD_CONNECTIONS: '1000',
};

/** What is looked at, by the metrics whose sum it is. */
const MEMORY = {
  rss: /^process_resident_memory_bytes (\S+)$/gm,
  heap: /^nodejs_heap_size_used_bytes (\S+)$/gm,
  external: /^nodejs_external_memory_bytes (\S+)$/gm,
  'worker heaps': /^bpf_jitd_worker_heap_bytes\S* (\S+)$/gm,
};
type Memory = Record<keyof typeof MEMORY, Sample[]>;

/** Of the service's process, each some seconds. */
async function watchMemory(url: string, until: number): Promise<Memory> {
  const samples: Memory = { rss: [], heap: [], external: [], 'worker heaps': [] };
  const began = performance.now();
  while (performance.now() < until) {
    await new Promise((done) => setTimeout(done, Math.min(5000, SECONDS * 20)));
    const text = await (await fetch(`${url}/metrics`)).text();
    const at = (performance.now() - began) / 60_000;
    for (const name of Object.keys(MEMORY) as (keyof Memory)[]) {
      const values = [...text.matchAll(MEMORY[name])].map((match) => Number(match[1]));
      samples[name].push([at, values.reduce((sum, value) => sum + value, 0) / 2 ** 20]);
    }
  }
  return samples;
}

function report(memory: Memory): void {
  const total = Object.values(latencies).reduce((sum, list) => sum + list.length, 0);
  console.log(
    `${total} requests in ${SECONDS} s over ${HTTP_CONNECTIONS + GRPC_CONNECTIONS} connections: ${(total / SECONDS).toFixed(0)}/s\n`,
  );
  console.log(
    `${''.padEnd(12)}${['requests', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'].map((h) => h.padStart(11)).join('')}`,
  );
  for (const [kind, list] of Object.entries(latencies)) {
    list.sort((a, b) => a - b);
    const cells = [0.5, 0.95, 0.99, 1].map((p) => percentile(list, p).toFixed(1).padStart(11));
    console.log(`${kind.padEnd(12)}${String(list.length).padStart(11)}${cells.join('')}`);
  }
  console.log(`\nrefusals, as stated: ${JSON.stringify(Object.fromEntries(refusals))}`);
  console.log(`errors: ${JSON.stringify(Object.fromEntries(errors))}`);
  for (const [name, samples] of Object.entries(memory)) {
    const warm = samples.slice(Math.floor(samples.length * WARM));
    const [first, last] = [warm[0]![1], warm.at(-1)![1]];
    const held = slope(leastOf(warm, WINDOW)).toFixed(2);
    const text = `${first.toFixed(0)} → ${last.toFixed(0)} MiB, slope ${slope(warm).toFixed(2)} MiB/min`;
    console.log(`${`${name}:`.padEnd(14)} ${text}; of the least of each minute ${held} MiB/min`);
  }
}

const service = await startService(SETTINGS);
const until = performance.now() + SECONDS * 1000;
const client = new Client(service.grpc, credentials.createInsecure());
const loop = async (work: () => Promise<void>): Promise<void> => {
  while (performance.now() < until) await work();
};
const [memory] = await Promise.all([
  watchMemory(service.url, until),
  ...Array.from({ length: HTTP_CONNECTIONS }, () => loop(() => send(service.url, next()))),
  ...Array.from({ length: GRPC_CONNECTIONS }, () => loop(() => call(client))),
]);
client.close();
agent.destroy();
const status = await service.stop();
if (status !== 0) count(errors, `the service ended with ${String(status)}`);
report(memory);
process.exitCode = errors.size === 0 ? 0 : 1;
