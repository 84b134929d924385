#!/usr/bin/env node
/** bpf-jitd: serve, compile, check, targets, keys. */
import { VERSION } from '../service/version.js';
import { checkCommand } from './check-command.js';
import { compileCommand } from './compile-command.js';
import { helpText } from './help.js';
import { keysCommand } from './keys-command.js';
import { targetsCommand } from './targets-command.js';
import { UsageError } from './usage.js';

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (rest.includes('--help') || rest.includes('-h')) return main(['help', command ?? '']);
  switch (command) {
    case 'serve': {
      const { serve } = await import('../main.js');
      await serve(rest);
      return Number(process.exitCode ?? 0);
    }
    case 'compile':
      return compileCommand(rest);
    case 'check':
      return checkCommand(rest);
    case 'targets':
      return targetsCommand(rest);
    case 'keys':
      return keysCommand(rest);
    case '--version':
    case '-V':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(helpText(rest[0]));
      return 0;
    default:
      throw new UsageError(command === undefined ? 'a command is needed' : `there is no command ${command}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`bpf-jitd: ${error instanceof Error ? error.message : String(error)}\n`);
  if (usage) process.stderr.write('bpf-jitd --help tells commands and options\n');
  process.exitCode = 2;
}
