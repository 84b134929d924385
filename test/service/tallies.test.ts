/** What tallied metrics tell a scraper, held against prom-client's own. */
import { Counter, Histogram, Registry } from 'prom-client';
import t from 'tap';
import { TalliedCounter, TalliedHistogram } from '../../src/service/telemetry/tallies.js';

const lines = async (registry: Registry): Promise<string[]> => (await registry.metrics()).trim().split('\n').sort();

t.test('tallied metrics say what prom-client says', async (t) => {
  const own = new Registry();
  const theirs = new Registry();
  const seconds = { name: 'seconds', help: 'Time.', labelNames: ['method', 'route'] as const, buckets: [0.1, 1, 10] };
  const requests = { name: 'requests', help: 'Count.', labelNames: ['status'] as const };
  const talliedSeconds = new TalliedHistogram({ ...seconds, registers: [own] });
  const plainSeconds = new Histogram({ ...seconds, registers: [theirs] });
  const talliedRequests = new TalliedCounter({ ...requests, registers: [own] });
  const plainRequests = new Counter({ ...requests, registers: [theirs] });

  for (const route of ['/a', '/"b"\n']) {
    const tally = talliedSeconds.tally({ method: 'GET', route });
    // On bounds, between them and past the last.
    for (const value of [0, 0.1, 0.10000001, 1, 3, 10, 11, 1e9]) {
      tally.observe(value);
      plainSeconds.observe({ method: 'GET', route }, value);
    }
  }
  const ok = talliedRequests.tally({ status: 200 });
  talliedRequests.tally({ status: 404 });
  for (let round = 0; round < 3; round++) {
    ok.inc();
    talliedRequests.inc({ status: 503 });
    plainRequests.inc({ status: 200 });
    plainRequests.inc({ status: 503 });
    t.same(await lines(own), await lines(theirs), `scrape ${round}`);
  }
});
