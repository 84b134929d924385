import { fail, type Failure } from '../outcome.js';

/** Errnos the loader answers with, and libbpf's own numbers for broken objects. */
export const EPERM = -1;
export const ENOENT = -2;
export const ESRCH = -3;
export const E2BIG = -7;
export const EBADF = -9;
export const EINVAL = -22;
export const ERANGE = -34;
export const ENOTSUP = -95;
export const EOPNOTSUPP = -95;
export { ERRNO_FORMAT, ERRNO_RELOC } from '../elf/elf.js';

/** Where in the object a failure lies. */
export interface Place {
  readonly section?: string;
  readonly symbol?: string;
  readonly offset?: number;
  readonly instruction?: number;
}

/** A failure of the LOAD stage, with libbpf's words for it. */
export function loadFailure(code: string, message: string, errno: number, place: Place = {}): Failure {
  return { stage: 'LOAD', code, message, errno, ...place };
}

/** The same as an outcome. */
export function refuse(
  code: string,
  message: string,
  errno: number,
  place: Place = {},
): { readonly ok: false; readonly failure: Failure } {
  return fail(loadFailure(code, message, errno, place));
}
