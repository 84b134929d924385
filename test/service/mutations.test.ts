/**
 * 10,000 mutations of valid requests, seeded and time-boxed: whatever comes in, an answer comes out that is either a
 * result or a problem with a code, never a stack trace, and the service is well afterwards.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERRORS } from '../../src/service/errors.js';
import { CompileRequestType, encode } from '../../src/service/contract/schema.js';
import { raw, testService, XDP_PASS, type TestService } from './fixtures/service.js';

const COUNT = 10_000;
const BUDGET_MS = 60_000;
const AT_ONCE = 8;
const SEED = 20_261_123;

/** mulberry32: small, seeded, good enough to choose mutations. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const object = readFileSync(new URL('../objects/xdp_count.o', import.meta.url));
const program = {
  name: 'p',
  type: 6,
  license: 'GPL',
  instructions: XDP_PASS,
  maps: [{ type: 2, keySize: 4, valueSize: 8, maxEntries: 1 }],
};
const SEEDS: readonly (readonly [string, Buffer])[] = [
  [
    'application/json',
    Buffer.from(JSON.stringify({ ...raw('p'), options: { logLevel: 2 }, link: { functions: ['0x0'] } })),
  ],
  ['application/json', Buffer.from(JSON.stringify({ object: object.toString('base64') }))],
  ['application/x-protobuf', Buffer.from(encode(CompileRequestType, { program }))],
  ['application/x-protobuf', Buffer.from(encode(CompileRequestType, { object }))],
  ['application/octet-stream', object],
];

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x7b, 0x18, 0x85, 0x95];

function mutate(bytes: Buffer, next: () => number): Buffer {
  let out = Buffer.from(bytes);
  const below = (n: number): number => Math.floor(next() * n);
  for (let changes = 1 + below(4); changes > 0 && out.length > 0; changes--) {
    const at = below(out.length);
    const kind = below(6);
    if (kind === 0) out[at]! ^= 1 << below(8);
    else if (kind === 1) out[at] = INTERESTING[below(INTERESTING.length)]!;
    else if (kind === 2) out = out.subarray(0, at);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + below(64)), out.subarray(at)]);
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), out.subarray(at + below(16))]);
    else if (at + 8 <= out.length) out.writeBigUInt64LE(BigInt.asUintN(64, -BigInt(1 + below(64))), at);
  }
  return out;
}

async function ask(service: TestService, type: string, body: Buffer): Promise<string | null> {
  const response = await service.post(body, { 'content-type': type });
  const text = await response.text();
  if (/\n\s+at |node_modules|\.ts:\d+|\.js:\d+/.test(text)) return `a stack trace: ${text.slice(0, 300)}`;
  const answer = JSON.parse(text) as { code?: string; programs?: unknown };
  if (response.status === 200) return null;
  if (response.status === 500)
    return `a defect: ${service.logged.filter((line) => line.includes('"err"')).at(-1) ?? text}`;
  const known = ERRORS[answer.code as keyof typeof ERRORS] as { http: number } | undefined;
  return known?.http === response.status ? null : `an unknown problem: ${text.slice(0, 300)}`;
}

t.setTimeout(240_000);

t.test('mutations', { timeout: 240_000 }, async (t) => {
  const service = await testService(t, { BPF_JITD_TIMEOUT: '5000' });
  const next = random(SEED);
  const until = Date.now() + BUDGET_MS;
  const faults = new Map<string, string>();
  let done = 0;
  const client = async (): Promise<void> => {
    while (done < COUNT && Date.now() < until) {
      const number = done++;
      const [type, bytes] = SEEDS[number % SEEDS.length]!;
      const body = mutate(bytes, next);
      const fault = await ask(service, type, body);
      if (fault !== null)
        faults.set(fault.slice(0, 200), `${fault} — ${type} ${body.toString('base64').slice(0, 4000)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  t.comment(`${done} mutations`);
  for (const fault of faults.values()) t.fail(fault);
  t.equal(faults.size, 0);
  t.equal((await service.post(raw('after'))).status, 200);
});
