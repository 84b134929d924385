/** Start, signals, graceful close. */
import { parseArgs } from 'node:util';
import { ConfigError, readConfig } from './service/config.js';
import { startService } from './service/start.js';

/** Serves until SIGINT or SIGTERM; a second signal ends it at once. */
export async function serve(argv: readonly string[]): Promise<void> {
  let running;
  try {
    running = await startService(readConfig({ ...process.env, ...roleOf(argv) }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2); // threads and connections may have been opened by then
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

/** `--role` as the setting that it stands for. Throws ConfigError. */
function roleOf(args: readonly string[]): Record<string, string> {
  try {
    const { role } = parseArgs({ args: [...args], options: { role: { type: 'string' } } }).values;
    return role === undefined ? {} : { BPF_JITD_ROLE: role };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message} (the only option is --role)`);
  }
}

if (import.meta.filename === process.argv[1]) await serve(process.argv.slice(2));
