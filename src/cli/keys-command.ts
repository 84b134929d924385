/** bpf-jitd keys create, list, revoke */
import { parseArgs } from 'node:util';
import { changeKeysFile, isScope, readKeysFile, SCOPES, type KeyRecord } from '../service/auth/keys-file.js';
import { newToken } from '../service/auth/token.js';
import { orUsage, UsageError } from './usage.js';

const OPTIONS = {
  file: { type: 'string' },
  name: { type: 'string' },
  tenant: { type: 'string' },
  scope: { type: 'string', multiple: true },
  rate: { type: 'string' },
  burst: { type: 'string' },
  concurrency: { type: 'string' },
  expires: { type: 'string' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>['values'];

export function keysCommand(argv: string[]): number {
  const { values, positionals } = orUsage(() => parseArgs({ args: argv, options: OPTIONS, allowPositionals: true }));
  const [command, id, extra] = positionals;
  const file = values.file ?? process.env['BPF_JITD_KEYS_FILE'] ?? '';
  if (file === '') throw new UsageError('--file or BPF_JITD_KEYS_FILE must say where the keys are');
  if (command === 'create' && id === undefined) return create(file, values);
  if (command === 'list' && id === undefined) return list(file);
  if (command === 'revoke' && id !== undefined && extra === undefined) return revoke(file, id);
  throw new UsageError('keys takes create, list or revoke ID');
}

/** The token alone goes to standard output, so that it can be piped into where secrets are kept. */
function create(file: string, values: Values): number {
  const { id, token, sha256 } = newToken();
  const scopes = values.scope ?? SCOPES.filter((scope) => scope !== 'metrics');
  if (!scopes.every(isScope)) throw new UsageError(`--scope is one of ${SCOPES.join(', ')}`);
  const number = (name: 'rate' | 'burst' | 'concurrency'): Record<string, number> =>
    values[name] === undefined ? {} : { [name]: Number(values[name]) };
  const record: KeyRecord = {
    id,
    sha256,
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.tenant === undefined ? {} : { tenant: values.tenant }),
    scopes,
    ...{ ...number('rate'), ...number('burst'), ...number('concurrency') },
    created: new Date().toISOString(),
    ...(values.expires === undefined ? {} : { expires: expiry(values.expires) }),
  };
  changeKeysFile(file, (keys) => [...keys, record]);
  process.stdout.write(`${token}\n`);
  process.stderr.write(`bpf-jitd: key ${id} is in ${file}; its token is shown this once\n`);
  return 0;
}

/** A time, or so long from now. */
function expiry(when: string): string {
  const [, count, unit] = /^(\d{1,6})([dh])$/.exec(when) ?? [];
  const hours = Number(count) * (unit === 'd' ? 24 : 1);
  const time = count === undefined ? Date.parse(when) : Date.now() + hours * 3_600_000;
  if (Number.isNaN(time)) throw new UsageError('--expires is 90d, 12h, or a time in ISO 8601');
  return new Date(time).toISOString();
}

function list(file: string): number {
  for (const key of readKeysFile(file)) {
    const limits = [
      ...(key.rate === undefined ? [] : [`${key.rate}/s`]),
      ...(key.burst === undefined ? [] : [`burst ${key.burst}`]),
      ...(key.concurrency === undefined ? [] : [`${key.concurrency} in flight`]),
    ];
    const columns = [
      key.id.padEnd(14),
      state(key).padEnd(34),
      (key.tenant ?? '-').padEnd(16),
      key.scopes.join(',').padEnd(28),
      (limits.join(', ') || '-').padEnd(24),
      key.name ?? '',
    ];
    process.stdout.write(`${columns.join(' ').trimEnd()}\n`);
  }
  return 0;
}

function state({ revoked, expires }: KeyRecord): string {
  if (revoked !== undefined) return `revoked ${revoked}`;
  if (expires === undefined) return 'valid';
  return `${Date.parse(expires) <= Date.now() ? 'expired' : 'until'} ${expires}`;
}

function revoke(file: string, id: string): number {
  changeKeysFile(file, (keys) => {
    if (!keys.some((key) => key.id === id)) throw new UsageError(`there is no key ${id} in ${file}`);
    const revoked = new Date().toISOString();
    return keys.map((key) => (key.id === id && key.revoked === undefined ? { ...key, revoked } : key));
  });
  process.stderr.write(`bpf-jitd: key ${id} is revoked\n`);
  return 0;
}
