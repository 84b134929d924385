/** Who asks: settled once a request, by either transport, before anything is done for them. */
import { isIPv6 } from 'node:net';

export interface Identity {
  /** Who is counted, and queued fairly: `key:ID`, or `ip:ADDRESS` where there are no keys. Never a secret. */
  readonly client: string;
  /** Whose answers and uploads are found: part of every key they are kept under. Empty where all share them. */
  readonly tenant: string;
}

/** Somebody without a key, known by the address they come from. */
export function anonymous(address: string | undefined): Identity {
  return { client: `ip:${network(address ?? 'unknown')}`, tenant: '' };
}

/** What one subscriber holds: an IPv4 address, or the first 64 bits of an IPv6 one (RFC 6177). */
export function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain) || plain === '::1') return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right];
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
