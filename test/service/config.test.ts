/** Settings: validation, and the README's table. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ConfigError, readConfig, settingsTable } from '../../src/service/config.js';

t.test('every fault is named at once', (t) => {
  try {
    readConfig({ BPF_JITD_PORT: '99999', BPF_JITD_LOG_LEVEL: 'loud', BPF_JITD_WROKERS: '2', PATH: '/bin' });
    t.fail('accepted');
  } catch (error) {
    t.type(error, ConfigError);
    t.equal(
      (error as Error).message,
      [
        'BPF_JITD_PORT=99999: must be a whole number from 0 to 65535',
        'BPF_JITD_LOG_LEVEL=loud: must be one of fatal, error, warn, info, debug, trace, silent',
        'BPF_JITD_WROKERS: there is no such setting',
      ].join('\n'),
    );
  }
  t.equal(readConfig({ BPF_JITD_PORT: '1' }).port, 1);
  t.equal(readConfig({}).host, '127.0.0.1');
  t.end();
});

t.test('tenants cannot be told apart without keys', (t) => {
  t.throws(() => readConfig({ BPF_JITD_CACHE_SCOPE: 'key' }), /BPF_JITD_CACHE_SCOPE=key: needs BPF_JITD_KEYS_FILE/);
  t.end();
});

t.test('the README lists what is validated', (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  t.ok(readme.includes(settingsTable()), `README.md must hold:\n${settingsTable()}`);
  t.end();
});
