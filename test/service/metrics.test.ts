/** Metrics say what happened: requests, refusals, queue, workers, caches, verdicts; and Prometheus' own linter has no complaint. */
import { spawnSync } from 'node:child_process';
import { Client, credentials } from '@grpc/grpc-js';
import t from 'tap';
import { raw, testService, type TestService } from './fixtures/service.js';

/** Value of each series, by its text: `name{label="value"}`. */
async function scrape(service: TestService): Promise<(series: string) => number | undefined> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const values = new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
  return (series) => values.get(series);
}

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

t.test('requests, refusals, caches and stages', async (t) => {
  const service = await testService(t);
  await service.post(raw('one'));
  await service.post(raw('one'));
  await service.post({ program: { type: 'BPF_PROG_TYPE_XDP', license: 'GPL', instructions: 'lQAAAAAAAAA=' } });
  await service.post('{');
  await fetch(`${service.url}/nowhere/${'x'.repeat(50)}`);
  const client = new Client(service.grpcAddress, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  const same = (bytes: Buffer): Buffer => bytes;
  await new Promise<void>((done) => {
    client.makeUnaryRequest('/bpfjit.v1.JitService/Compile', same, same, Buffer.from([0xff]), () => {
      done();
    });
  });
  const value = await scrape(service);
  for (const [series, expected] of Object.entries({
    'bpf_jitd_http_requests_total{method="POST",route="/compile",status="200"}': 3,
    'bpf_jitd_http_requests_total{method="POST",route="/compile",status="400"}': 1,
    'bpf_jitd_http_requests_total{method="GET",route="none",status="404"}': 1,
    'bpf_jitd_http_request_duration_seconds_count{method="POST",route="/compile"}': 4,
    'bpf_jitd_grpc_requests_total{method="Compile",code="INVALID_ARGUMENT"}': 1,
    'bpf_jitd_grpc_request_duration_seconds_count{method="Compile"}': 1,
    bpf_jitd_grpc_requests_in_flight: 0,
    bpf_jitd_http_requests_in_flight: 1, // this one
    'bpf_jitd_refusals_total{transport="http",code="MALFORMED_BODY"}': 1,
    'bpf_jitd_refusals_total{transport="grpc",code="MALFORMED_BODY"}': 1,
    'bpf_jitd_cache_lookups_total{tier="memory",result="hit"}': 1,
    'bpf_jitd_cache_lookups_total{tier="memory",result="miss"}': 2,
    'bpf_jitd_cache_lookups_total{tier="disk",result="miss"}': 2,
    'bpf_jitd_cache_lookup_duration_seconds_count{tier="disk"}': 2,
    'bpf_jitd_cache_entries{tier="memory"}': 2,
    'bpf_jitd_cache_entries{tier="disk"}': 2,
    'bpf_jitd_cache_limit_bytes{tier="disk"}': 16 * 1024 * 1024,
    'bpf_jitd_programs_total{target="linux-6.12-arm64",verdict="accepted"}': 1,
    'bpf_jitd_programs_total{target="linux-6.12-arm64",verdict="rejected"}': 1,
    bpf_jitd_verified_instructions_total: 3,
    bpf_jitd_queue_wait_seconds_count: 2,
    bpf_jitd_queue_depth: 0,
    bpf_jitd_queue_limit: 256,
    bpf_jitd_workers: 2, // with the one for what is usually short
    'bpf_jitd_stage_duration_seconds_count{stage="load"}': 2,
    'bpf_jitd_stage_duration_seconds_count{stage="verify"}': 2,
    'bpf_jitd_stage_duration_seconds_count{stage="rewrite"}': 1,
    'bpf_jitd_stage_duration_seconds_count{stage="jit"}': 1,
    'bpf_jitd_stage_duration_seconds_count{stage="link"}': 1,
    'bpf_jitd_stage_duration_seconds_count{stage="encode"}': 2,
    bpf_jitd_btf_store_files: 0,
  })) {
    t.equal(value(series), expected, series);
  }
  t.ok(value('bpf_jitd_worker_heap_bytes{worker="0"}')! > 1e6);
  t.ok(value('bpf_jitd_cache_bytes{tier="memory"}')! > 100);
  t.ok(value('process_cpu_seconds_total') !== undefined);
  t.ok(value('nodejs_eventloop_lag_seconds') !== undefined);

  const promtool = process.env['PROMTOOL'] ?? 'promtool';
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const lint = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (lint.error !== undefined) t.comment('promtool is not installed: not linted');
  else {
    // prom-client's own names for Node's heap spaces and the like are not ours to change.
    const complaints = (lint.stdout + lint.stderr).split('\n').filter((line) => line.startsWith('bpf_jitd'));
    t.strictSame(complaints, []);
  }
});

t.test('why workers were replaced, and who shared a flight', async (t) => {
  const service = await testService(t, { BPF_JITD_WORKER_MEMORY: '128' }, true);
  await Promise.all([service.post(raw('wait200')), service.post(raw('wait200'))]);
  await service.post(raw('spin'), { prefer: 'wait=1' });
  await service.post(raw('exit'));
  await service.post(raw('memory'));
  await service.post(raw('up')); // the new worker is up
  const gone = new AbortController();
  const left = fetch(`${service.url}/compile`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(raw('spin2')),
    signal: gone.signal,
  }).catch(() => null);
  await sleep(200);
  const during = await scrape(service);
  t.equal(during('bpf_jitd_compilations_running'), 1);
  t.equal(during('bpf_jitd_http_requests_in_flight'), 2);
  gone.abort();
  await left;
  await sleep(100);
  const value = await scrape(service);
  t.equal(value('bpf_jitd_flights_total{role="joined"}'), 1);
  for (const [reason, count] of Object.entries({ deadline: 1, exit: 2, memory: 1, cancelled: 1 })) {
    t.equal(value(`bpf_jitd_worker_replacements_total{reason="${reason}"}`), count, reason);
  }
  t.equal(value('bpf_jitd_http_requests_in_flight'), 1);
});
