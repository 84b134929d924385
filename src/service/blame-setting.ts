/** What the system refuses at the start, said with the setting that asked for it. */
import { ConfigError } from './config.js';

/**
 * Runs `work`. Where the system refuses something in it (a port in use, a directory that cannot be written), throws a ConfigError
 * that names `setting`, such as `BPF_JITD_PORT=8080`; other throws are defects, and stay what they are.
 */
export async function blameSetting<T>(setting: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new ConfigError(`${setting}: ${error.message}`, { cause: error });
  }
}

/** Node's errors of system calls name the call. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && typeof (error as { readonly syscall?: unknown }).syscall === 'string';
}
