/** bpf-jitd targets */
import { parseArgs } from 'node:util';
import { TargetCatalog } from '../service/catalog.js';
import { readTargets } from '../service/targets.js';
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
      ? (new TargetCatalog(readTargets()).messages as unknown as Target[])
      : ((await get(values.server, 'targets')) as { targets?: Target[] }).targets;
  for (const target of targets ?? []) {
    process.stdout.write(`${target.name.padEnd(20)} ${(target.release ?? '').padEnd(32)} ${target.verified ?? ''}\n`);
  }
  return 0;
}
