/**
 * The keys file: JSON, `{ "keys": [ … ] }`, each key as `KeyRecord` says. `bpf-jitd keys` writes it; a hand may, too.
 * Nothing in it lets anybody in: of a key's secret there is only the hash.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { jsonFault } from '../contract/request.js';

/** What a key may allow. */
export const SCOPES = ['compile', 'jobs', 'read', 'btf:write', 'metrics'] as const;
export type Scope = (typeof SCOPES)[number];

export interface KeyRecord {
  /** 12 hexadecimal digits: the part of the token that is no secret. */
  readonly id: string;
  /** Of the whole token, hexadecimal. */
  readonly sha256: string;
  /** For people. */
  readonly name?: string;
  /** Whose key it is; the id where absent. Keys of one tenant share a cache where BPF_JITD_CACHE_SCOPE is `key`. */
  readonly tenant?: string;
  readonly scopes: readonly Scope[];
  /** Requests a second, on each instance, and how many at once after a pause; no limit where absent. */
  readonly rate?: number;
  readonly burst?: number;
  /** Requests in flight at a time, on each instance. */
  readonly concurrency?: number;
  /** ISO 8601. */
  readonly created?: string;
  readonly expires?: string;
  readonly revoked?: string;
}

/** Something in a keys file that is not as it must be; the message names the place and quotes nothing. */
export class KeysFileError extends Error {}

type Check = (value: unknown) => boolean;
const text =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const time: Check = (value) => typeof value === 'string' && /^\d{4}-/.test(value) && !Number.isNaN(Date.parse(value));
const positive: Check = (value) => typeof value === 'number' && value > 0 && value <= 1e9;
const count: Check = (value) => positive(value) && Number.isInteger(value);
const LABEL = /^[\w .:@/-]{1,64}$/;

const MEMBERS: Readonly<Record<keyof KeyRecord, readonly [wanted: string, required: boolean, check: Check]>> = {
  id: ['12 hexadecimal digits', true, text(/^[0-9a-f]{12}$/)],
  sha256: ['64 hexadecimal digits', true, text(/^[0-9a-f]{64}$/)],
  name: ['at most 64 letters, digits and ._:@/-', false, text(LABEL)],
  tenant: ['at most 64 letters, digits and ._:@/-', false, text(LABEL)],
  scopes: [`a list of ${SCOPES.join(', ')}`, true, (value) => Array.isArray(value) && value.every(isScope)],
  rate: ['a positive number', false, positive],
  burst: ['a positive whole number', false, count],
  concurrency: ['a positive whole number', false, count],
  created: ['a time in ISO 8601', false, time],
  expires: ['a time in ISO 8601', false, time],
  revoked: ['a time in ISO 8601', false, time],
};

export function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}

/** Throws KeysFileError, or what the system says of a file that cannot be read. */
export function readKeysFile(path: string): readonly KeyRecord[] {
  let value: unknown;
  const bytes = readFileSync(path);
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new KeysFileError(`${path}: is not JSON: ${jsonFault(error)}`);
  }
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new KeysFileError(`${path}: must be { "keys": [ … ] }`);
  return checkKeys(path, keys);
}

function checkKeys(path: string, keys: readonly unknown[]): readonly KeyRecord[] {
  const ids = new Set<string>();
  keys.forEach((key, i) => {
    const fault = faultOf(key);
    if (fault !== null) throw new KeysFileError(`${path}: keys[${i}]${fault}`);
    const { id } = key as KeyRecord;
    if (ids.has(id)) throw new KeysFileError(`${path}: keys[${i}].id: ${id} is there twice`);
    ids.add(id);
  });
  return keys as readonly KeyRecord[];
}

function faultOf(key: unknown): string | null {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return ': must be an object';
  for (const name of Object.keys(key)) {
    if (!Object.hasOwn(MEMBERS, name)) return `.${name.slice(0, 60)}: there is no such member`;
  }
  for (const [name, [wanted, required, check]] of Object.entries(MEMBERS)) {
    const value = (key as Record<string, unknown>)[name];
    if (value === undefined ? required : !check(value)) return `.${name}: must be ${wanted}`;
  }
  return null;
}

/**
 * Changes the file: whoever reads it sees the old or the new one whole. The new one's name is the lock that keeps two
 * writers apart.
 */
export function changeKeysFile(path: string, change: (keys: readonly KeyRecord[]) => readonly KeyRecord[]): void {
  const next = `${path}.new`;
  let file;
  try {
    file = openSync(next, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new KeysFileError(`${next} is there: somebody else changes the keys, or was killed at it (then remove it)`);
  }
  try {
    const keys = checkKeys(path, change(existing(path)));
    writeFileSync(file, `${JSON.stringify({ keys }, null, 2)}\n`, { flush: true });
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function existing(path: string): readonly KeyRecord[] {
  try {
    return readKeysFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
