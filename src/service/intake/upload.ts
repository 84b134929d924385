/** Uploads of BTF: decoded, named by what they are, and looked into before they are kept. */
import { hash } from 'node:crypto';
import { checkBtf, unwrapBtf } from '../btf-unwrap.js';
import { isDigest } from '../contract/request.js';
import { ServiceError } from '../errors.js';
import { decoded } from './coding.js';
import type { Body } from './source.js';

export interface Upload {
  readonly body: Body;
  /** Empty: none was claimed. */
  readonly digest: string;
}

export interface CheckedUpload {
  readonly bytes: Uint8Array;
  /** Their SHA-256. */
  readonly digest: string;
}

/** Throws ServiceError INVALID_DIGEST, DIGEST_MISMATCH, INVALID_BTF, or what `decoded` throws. */
export async function readUpload({ body, digest }: Upload): Promise<CheckedUpload> {
  if (digest !== '' && !isDigest(digest))
    throw new ServiceError('INVALID_DIGEST', 'the digest is not 64 hexadecimal digits');
  const bytes = decoded(body.bytes, body.coding, body.limit);
  const actual = hash('sha256', bytes);
  if (digest !== '' && digest !== actual) {
    throw new ServiceError('DIGEST_MISMATCH', `the ${bytes.length} bytes have the SHA-256 ${actual}`);
  }
  if (bytes.length === 0) throw new ServiceError('INVALID_BTF', 'the BTF is empty');
  checkBtf(await unwrapBtf(bytes));
  return { bytes, digest: actual };
}
