/** Start, signals, graceful close. */
import { ConfigError, readConfig } from './service/config.js';
import { startService } from './service/start.js';

/** Serves until SIGINT or SIGTERM; a second signal ends it at once. */
export async function serve(): Promise<void> {
  let running;
  try {
    running = await startService(readConfig(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void running.stop().then(() => process.exit(0));
    });
  }
}

if (import.meta.filename === process.argv[1]) await serve();
