/**
 * API keys as clients hold them: `bpfjit_ID_SECRET`, the prefix so that secret scanners find leaked ones, the id (12
 * hexadecimal digits) to look the key up by and to speak of it in logs, and 256 random bits in base64url.
 *
 * At rest there is only a SHA-256 of the whole. A slow hash (scrypt, Argon2) protects secrets that people choose from being
 * guessed; 256 random bits cannot be guessed whatever the hash costs, and a slow one on every request would be a way to
 * bring the service down.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN = /^bpfjit_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const BEARER = /^bearer +(\S{1,256}) *$/i;

export interface NewToken {
  readonly id: string;
  /** Shown once, kept nowhere. */
  readonly token: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

export function newToken(): NewToken {
  const id = randomBytes(6).toString('hex');
  const token = `bpfjit_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, token, sha256: digestOf(token).toString('hex') };
}

/** The token of an Authorization header with the scheme Bearer (RFC 6750), or null. */
export function bearerToken(authorization: string | undefined): string | null {
  return authorization === undefined ? null : (BEARER.exec(authorization)?.[1] ?? null);
}

/** The id that a token claims, or null where it is none of ours. */
export function tokenId(token: string): string | null {
  return TOKEN.exec(token)?.[1] ?? null;
}

/** In time that does not depend on where they differ. */
export function isToken(token: string, digest: Buffer): boolean {
  return timingSafeEqual(digestOf(token), digest);
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
