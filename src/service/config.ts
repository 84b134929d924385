/** Settings: one table that validates the environment, documents it in the README, and gives the typed configuration. */
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';

interface Setting<T> {
  readonly variable: string;
  readonly fallback: T;
  /** For the README; the fallback as people read it where it is computed. */
  readonly about: string;
  readonly shown?: string;
  /** Throws an Error whose message says what is wanted. */
  readonly parse: (text: string) => T;
}

const text = (): ((value: string) => string) => (value) => value;

function whole(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new Error(`a whole number from ${min} to ${max}`);
    }
    return number;
  };
}

function oneOf<const T extends string>(...choices: readonly T[]): (value: string) => T {
  return (value) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw new Error(`one of ${choices.join(', ')}`);
    return found;
  };
}

function redisUrl(value: string): string {
  if (!/^rediss?:\/\/\S+$/.test(value)) throw new Error('a URL redis://… or rediss://…');
  return value;
}

/** Addresses and CIDR networks. */
function addresses(value: string): readonly string[] {
  const list = value.split(',').map((part) => part.trim());
  for (const one of list) {
    const [address = '', bits, more] = one.split('/');
    const family = isIP(address);
    const valid = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
    if (family === 0 || !valid || more !== undefined) throw new Error('addresses or networks, such as 10.0.0.0/8');
  }
  return list;
}

function hosts(value: string): readonly string[] {
  const list = value.split(',').map((part) => part.trim().toLowerCase());
  if (!list.every((host) => /^(?:\*\.)?[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/.test(host)))
    throw new Error('host names, such as ci.example.com');
  return list;
}

/** Never shown again. */
function webhookSecrets(value: string): readonly string[] {
  const list = value.split(',').map((part) => part.trim());
  const sizes = list
    .map((secret) => /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1] ?? '')
    .map((text) => Buffer.from(text, 'base64').length);
  if (!sizes.every((size) => size >= 24 && size <= 64)) throw new Error('whsec_ and base64 of 24 to 64 bytes');
  return list;
}

const MIB = 1024 * 1024;
const setting = <T>(
  variable: string,
  fallback: T,
  about: string,
  parse: (text: string) => T,
  shown?: string,
): Setting<T> => ({ variable, fallback, about, parse, ...(shown === undefined ? {} : { shown }) });

export const SETTINGS = {
  role: setting(
    'BPF_JITD_ROLE',
    'all',
    'What this instance does, also `--role`: `api` answers and queues, `worker` compiles what is queued, `all` does both.',
    oneOf('api', 'worker', 'all'),
  ),
  host: setting('BPF_JITD_HOST', '127.0.0.1', 'Address to listen on, for HTTP and gRPC.', text()),
  port: setting('BPF_JITD_PORT', 8080, 'HTTP port; 0 takes a free one.', whole(0, 65535)),
  grpcPort: setting('BPF_JITD_GRPC_PORT', 50051, 'gRPC port; 0 takes a free one.', whole(0, 65535)),
  dataDir: setting('BPF_JITD_DATA_DIR', './data', 'Directory of the disk cache and of uploaded BTF.', text()),
  workers: setting(
    'BPF_JITD_WORKERS',
    availableParallelism(),
    'Requests compiled at a time, each in a thread; there is one thread more, for what is usually short.',
    whole(1, 1024),
    'the cores',
  ),
  clientWorkers: setting(
    'BPF_JITD_CLIENT_WORKERS',
    0,
    'Workers that long or unknown compilations of one client may hold at a time; 0: all but one, and at least one.',
    whole(0, 1024),
    'all but one',
  ),
  cpuTimeout: setting(
    'BPF_JITD_CPU_TIMEOUT',
    60_000,
    'Milliseconds of a processor that one compilation may use, however many wait for it.',
    whole(1, 86_400_000),
  ),
  workerMemory: setting(
    'BPF_JITD_WORKER_MEMORY',
    2048,
    'MiB of heap that one compilation may use; a worker over it is replaced.',
    whole(128, 65536),
  ),
  queue: setting(
    'BPF_JITD_QUEUE',
    256,
    'Compilations that may wait; one more is refused with 503.',
    whole(0, 1_000_000),
  ),
  timeout: setting(
    'BPF_JITD_TIMEOUT',
    60_000,
    'Milliseconds that one request may take, waiting included; a client may ask for less.',
    whole(1, 86_400_000),
  ),
  receiveTimeout: setting(
    'BPF_JITD_RECEIVE_TIMEOUT',
    60_000,
    'Milliseconds in which a request must have arrived; its headers, in a sixth of that.',
    whole(100, 3_600_000),
  ),
  connections: setting(
    'BPF_JITD_CONNECTIONS',
    4096,
    'Connections open at a time, each of HTTP and gRPC; more are dropped.',
    whole(1, 1_000_000),
  ),
  drainTimeout: setting(
    'BPF_JITD_DRAIN_TIMEOUT',
    10_000,
    'Milliseconds that work in flight is given when the service stops.',
    whole(0, 3_600_000),
  ),
  bodyLimit: setting(
    'BPF_JITD_BODY_LIMIT',
    32 * MIB,
    'Bytes of the largest request.',
    whole(1024, 1024 * MIB),
    '32 MiB',
  ),
  bodyMemory: setting(
    'BPF_JITD_BODY_MEMORY',
    1024 * MIB,
    'Bytes of large request bodies in memory at a time, of which one client may hold half; more are refused with 503.',
    whole(1024, 1024 * 1024 * MIB),
    '1 GiB',
  ),
  memoryCache: setting(
    'BPF_JITD_MEMORY_CACHE',
    128 * MIB,
    'Bytes of answers kept in memory; what finds them, and their compressed forms, take up to five eighths as much.',
    whole(0, 1024 * 1024 * MIB),
    '128 MiB',
  ),
  diskCache: setting(
    'BPF_JITD_DISK_CACHE',
    1024 * MIB,
    'Bytes of answers kept on disk; 0 for none.',
    whole(0, 1024 * 1024 * MIB),
    '1 GiB',
  ),
  btfStore: setting(
    'BPF_JITD_BTF_STORE',
    256 * MIB,
    'Bytes of uploaded BTF kept on disk.',
    whole(0, 1024 * 1024 * MIB),
    '256 MiB',
  ),
  redisUrl: setting(
    'BPF_JITD_REDIS_URL',
    '',
    'Redis or Valkey that instances share answers through, such as `redis://host:6379`.',
    redisUrl,
    'none',
  ),
  lease: setting(
    'BPF_JITD_LEASE',
    10_000,
    'Milliseconds after which the work of an instance that has died is taken over by another.',
    whole(100, 600_000),
  ),
  keysFile: setting(
    'BPF_JITD_KEYS_FILE',
    '',
    'API keys, as `bpf-jitd keys` writes them; read again when it changes. Without, everybody may do everything.',
    text(),
    'none',
  ),
  cacheScope: setting(
    'BPF_JITD_CACHE_SCOPE',
    'shared',
    '`key`: no tenant can tell what another has compiled or uploaded.',
    oneOf('shared', 'key'),
  ),
  metricsAccess: setting('BPF_JITD_METRICS_ACCESS', 'key', '`open`: /metrics needs no API key.', oneOf('key', 'open')),
  tlsCert: setting(
    'BPF_JITD_TLS_CERT',
    '',
    'Certificate chain in PEM, for HTTP and gRPC; read again when it changes. Without, there is no TLS.',
    text(),
    'none',
  ),
  tlsKey: setting('BPF_JITD_TLS_KEY', '', 'Its private key in PEM.', text(), 'none'),
  tlsClientCa: setting(
    'BPF_JITD_TLS_CLIENT_CA',
    '',
    'Authorities in PEM: only clients with a certificate of theirs are let in.',
    text(),
    'none',
  ),
  trustedProxies: setting(
    'BPF_JITD_TRUSTED_PROXIES',
    [] as readonly string[],
    'Addresses or networks, separated by commas, whose X-Forwarded-For is believed.',
    addresses,
    'none',
  ),
  jobQueue: setting(
    'BPF_JITD_JOB_QUEUE',
    100_000,
    'Requests of jobs that may be open, of all clients together.',
    whole(1, 10_000_000),
  ),
  jobClientQueue: setting(
    'BPF_JITD_JOB_CLIENT_QUEUE',
    20_000,
    'Requests of jobs that one client may have open.',
    whole(1, 10_000_000),
  ),
  jobItems: setting('BPF_JITD_JOB_ITEMS', 1000, 'Requests that one job may hold.', whole(1, 10_000)),
  jobBytes: setting(
    'BPF_JITD_JOB_BYTES',
    1024 * MIB,
    'Bytes of requests that open jobs may hold.',
    whole(1024, 1024 * 1024 * MIB),
    '1 GiB',
  ),
  jobRetention: setting(
    'BPF_JITD_JOB_RETENTION',
    86_400,
    'Seconds that a job is kept after the last thing that happened to it.',
    whole(1, 30 * 86_400),
  ),
  webhookHosts: setting(
    'BPF_JITD_WEBHOOK_HOSTS',
    [] as readonly string[],
    'Hosts, separated by commas, that jobs may name in `callbackUrl`; `*.example.com` for all below one.',
    hosts,
    'none',
  ),
  webhookSecret: setting(
    'BPF_JITD_WEBHOOK_SECRET',
    [] as readonly string[],
    'What webhooks are signed with: `whsec_` and base64 of 24 to 64 bytes; several, separated by commas, while receivers change over.',
    webhookSecrets,
    'none',
  ),
  webhookPrivate: setting(
    'BPF_JITD_WEBHOOK_PRIVATE',
    'no' as const,
    'yes: allowed hosts may have addresses that are not public.',
    oneOf('yes', 'no'),
  ),
  logLevel: setting(
    'BPF_JITD_LOG_LEVEL',
    'info',
    'fatal, error, warn, info, debug, trace or silent.',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  ),
} as const;

type Settings = typeof SETTINGS;
export type Config = { readonly [K in keyof Settings]: ReturnType<Settings[K]['parse']> };

/** The API key that the command line sends; no setting of the service, and no reason not to start. */
export const CLIENT_KEY = 'BPF_JITD_API_KEY';

/** Settings that need others. */
function contradictions(config: Config): string[] {
  const faults: string[] = [];
  if (config.role !== 'all' && config.redisUrl === '') {
    faults.push(`BPF_JITD_ROLE=${config.role}: needs BPF_JITD_REDIS_URL`);
  }
  if (config.webhookHosts.length > 0 && config.webhookSecret.length === 0) {
    faults.push('BPF_JITD_WEBHOOK_HOSTS: needs BPF_JITD_WEBHOOK_SECRET');
  }
  if (config.cacheScope === 'key' && config.keysFile === '') {
    faults.push('BPF_JITD_CACHE_SCOPE=key: needs BPF_JITD_KEYS_FILE');
  }
  if ((config.tlsCert === '') !== (config.tlsKey === '')) {
    faults.push('BPF_JITD_TLS_CERT and BPF_JITD_TLS_KEY: one needs the other');
  }
  if (config.tlsClientCa !== '' && config.tlsCert === '') {
    faults.push('BPF_JITD_TLS_CLIENT_CA: needs BPF_JITD_TLS_CERT');
  }
  return faults;
}

/** A setting that is not as it must be; the message names variable, value and what is wanted. */
export class ConfigError extends Error {}

/** Reads the environment. A misspelt BPF_JITD_ variable is an error too. Throws ConfigError naming every fault. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  const known = new Set<string>();
  for (const [name, entry] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    known.add(entry.variable);
    const given = env[entry.variable];
    values[name] = entry.fallback;
    if (given === undefined || given === '') continue;
    try {
      values[name] = entry.parse(given);
    } catch (error) {
      const shown = given.replace(/\/\/[^/@]*@/, '//…@'); // passwords in URLs
      faults.push(
        `${entry.variable}=${entry.variable.endsWith('_SECRET') ? '…' : shown}: must be ${(error as Error).message}`,
      );
    }
  }
  for (const variable of Object.keys(env)) {
    if (variable.startsWith('BPF_JITD_') && !known.has(variable) && variable !== CLIENT_KEY) {
      faults.push(`${variable}: there is no such setting`);
    }
  }
  faults.push(...contradictions(values as Config));
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return values as Config;
}

/** The README's table of settings, in Markdown. */
export function settingsTable(): string {
  const rows = (Object.values(SETTINGS) as Setting<unknown>[]).map(
    (entry) => `| \`${entry.variable}\` | ${entry.shown ?? `\`${String(entry.fallback)}\``} | ${entry.about} |`,
  );
  return ['| variable | default | |', '|---|---|---|', ...rows].join('\n');
}
