/** Cache hits over HTTP and gRPC, of a service that is a process of its own. */
import { performance } from 'node:perf_hooks';
import { Client, credentials } from '@grpc/grpc-js';
import { CompileRequestType, encode, type Message } from '../src/service/contract/schema.js';
import { measureHits } from './hits.js';
import { startService, type ServerProcess } from './processes.js';

const SECONDS = 5;
const CONNECTIONS = 20;

const INSTRUCTIONS = Buffer.from('b7000000020000009500000000000000', 'hex');
const program = (name: string): Message => ({ program: { name, type: 6, license: 'GPL', instructions: INSTRUCTIONS } });
const json = (name: string): string =>
  JSON.stringify({
    program: { name, type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions: INSTRUCTIONS.toString('base64') },
  });

async function grpcHits(service: ServerProcess): Promise<number> {
  const client = new Client(service.grpc, credentials.createInsecure());
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

const line = (name: string, value: number, more = ''): void => {
  console.log(`${name.padEnd(44)} ${value.toFixed(0).padStart(8)}/s ${more}`);
};

export async function serviceBench(): Promise<void> {
  const service = await startService({ BPF_JITD_WORKERS: '1' });
  const { bare, hits, ratio, range, clients } = await measureHits(service, json('hit'));
  line('bare Fastify route, the same bytes', bare, `clients busy to ${(clients * 100).toFixed(0)} %`);
  const [lowest, highest] = range.map((value) => value.toFixed(2));
  line('cache hits, HTTP', hits, `${ratio.toFixed(2)} of the bare route (rounds: ${lowest} to ${highest})`);
  line('cache hits, gRPC', await grpcHits(service));
  await service.stop();
}
