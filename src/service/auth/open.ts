/** The keyring that the configuration names, kept as its file says. */
import type { Logger } from 'pino';
import { ConfigError, type Config } from '../config.js';
import type { Metrics } from '../telemetry/metrics.js';
import { watchFiles, type Watch } from '../watch-files.js';
import { Keyring } from './keyring.js';

/** Null where no keys are asked for, which is said aloud where others can reach the service. Throws ConfigError. */
export function openKeyring({ keysFile, cacheScope, host, tlsClientCa }: Config, logger: Logger): Keyring | null {
  if (keysFile === '') {
    if (!isLoopback(host) && tlsClientCa === '') {
      logger.warn({ host }, 'whoever reaches this address may use the service: BPF_JITD_KEYS_FILE is not set');
    }
    return null;
  }
  const keyring = readKeyring(keysFile, cacheScope === 'key');
  if (cacheScope === 'key' && keyring.size === 0) {
    throw new ConfigError(`BPF_JITD_CACHE_SCOPE=key: BPF_JITD_KEYS_FILE=${keysFile} holds no keys`);
  }
  return keyring;
}

function readKeyring(keysFile: string, apart: boolean): Keyring {
  try {
    return new Keyring(keysFile, apart);
  } catch (error) {
    throw new ConfigError(`BPF_JITD_KEYS_FILE: ${(error as Error).message}`);
  }
}

/** Takes the file whenever it changes; one that cannot be taken leaves the old keys in use, and says so. */
export function watchKeyring(keyring: Keyring, metrics: Metrics, logger: Logger): Watch {
  const file = keyring.path;
  const reload = (): void => {
    keyring.reload();
    metrics.reloadOk.set({ file: 'keys' }, 1);
    logger.info({ file, keys: keyring.size }, 'keys');
  };
  return watchFiles([file], reload, (error) => {
    metrics.reloadOk.set({ file: 'keys' }, 0);
    logger.error({ err: error, file }, 'the keys file cannot be taken: the old keys stay in use');
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
