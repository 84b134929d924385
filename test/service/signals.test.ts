/** What a request leaves behind when it has been answered: nothing, though the signals that it listened to live on. */
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { underSignals } from '../../src/service/signals.js';
import { raw, testService } from './fixtures/service.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How many are alive after garbage was collected, some turns of the event loop later. */
async function alive(refs: readonly WeakRef<object>[]): Promise<number> {
  for (let i = 0; i < 5; i++) {
    await new Promise((done) => setTimeout(done, 20));
    collect();
  }
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

t.test('work under several signals', async (t) => {
  const lasting = new AbortController();
  const refs: WeakRef<object>[] = [];
  for (let i = 0; i < 200; i++) {
    const work = (signal: AbortSignal): Promise<void> => {
      signal.addEventListener('abort', () => undefined);
      refs.push(new WeakRef(signal));
      return Promise.resolve();
    };
    await underSignals([lasting.signal, new AbortController().signal], work);
  }
  t.ok((await alive(refs)) < 10, 'signals go with their work');
  t.equal(getEventListeners(lasting.signal, 'abort').length, 0);

  const reason = (signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve) => {
      const tell = (): void => {
        resolve(signal.reason);
      };
      if (signal.aborted) tell();
      else signal.addEventListener('abort', tell);
    });
  const stop = new AbortController();
  const stopped = underSignals([lasting.signal, stop.signal], reason);
  stop.abort('stopped');
  t.equal(await stopped, 'stopped');
  t.equal(await underSignals([lasting.signal, stop.signal], reason), 'stopped', 'one that was aborted before');
  await t.rejects(
    underSignals([lasting.signal], () => Promise.reject(new Error('the work itself'))),
    /the work itself/,
  );
});

t.test('compilations', async (t) => {
  const { service } = await testService(t);
  const refs: WeakRef<object>[] = [];
  const compile = async (name: string): Promise<void> => {
    const { signal } = new AbortController();
    refs.push(new WeakRef(signal));
    const bytes = Buffer.from(JSON.stringify(raw(name)));
    const source = { kind: 'json', message: 'CompileRequest', body: { bytes, coding: null, limit: 1e6 } } as const;
    await service.ask(source, { identity: { client: '', tenant: '' }, signal, json: true, trace: null });
  };
  for (let i = 0; i < 40; i++) await Promise.all([0, 1, 2, 3, 4].map((n) => compile(`p${i}-${n}`)));
  t.ok((await alive(refs)) < 10, 'what they were asked with is not held until their time would have been over');
});
