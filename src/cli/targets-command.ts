/** bpf-jitd targets */
import { parseArgs } from 'node:util';
import { targetMessage } from '../service/contract/from-compiler.js';
import { loadProfile, targetNames } from '../service/targets.js';
import { get } from './remote.js';
import { orUsage } from './usage.js';

interface Target {
  readonly name: string;
  readonly release?: string;
  readonly verified?: string;
}

export async function targetsCommand(argv: string[]): Promise<number> {
  const { values } = orUsage(() => parseArgs({ args: argv, options: { server: { type: 'string' } } }));
  const targets =
    values.server === undefined
      ? targetNames().map((name) => targetMessage(loadProfile(name)) as unknown as Target)
      : ((await get(values.server, '/targets')) as { targets?: Target[] }).targets;
  for (const target of targets ?? []) {
    process.stdout.write(`${target.name.padEnd(20)} ${(target.release ?? '').padEnd(32)} ${target.verified ?? ''}\n`);
  }
  return 0;
}
