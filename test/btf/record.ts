/**
 * Writes verdicts.json: what a kernel says of the BTFs of verdict-cases.ts, and its log where libbpf passes them on.
 * Usage: tsx test/btf/record.ts [RECORD], RECORD being the oracle's script (default /work/shared/oracle/record).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERDICT_CASES } from './verdict-cases.js';

interface OracleLine {
  readonly object?: string;
  readonly prog?: string;
  readonly btf_errno?: number;
  readonly err?: number;
  readonly open_errno?: number;
  readonly libbpf?: string;
}

const here = import.meta.dirname;
const jobs = mkdtempSync(join(tmpdir(), 'verdicts-'));
const names = Object.keys(VERDICT_CASES);
const text: string[] = [];
for (const [i, name] of names.entries()) {
  const blob = VERDICT_CASES[name]!;
  const hex = Buffer.from(blob).toString('hex');
  text.push(`name=${i}`, 'type=1', `btf=${hex}`, 'insns=b7000000000000009500000000000000', '');
  const types = join(jobs, 'types');
  writeFileSync(types, blob);
  execFileSync('llvm-objcopy-19', [
    '--remove-section=.BTF.ext',
    `--update-section=.BTF=${types}`,
    join(here, '../objects/bare.o'),
    join(jobs, `${i}.o`),
  ]);
}
writeFileSync(join(jobs, 'verdicts.jobs'), text.join('\n') + '\n');
const out = join(jobs, 'out.jsonl');
execFileSync(process.argv[2] ?? '/work/shared/oracle/record', [jobs, out], { stdio: ['ignore', 'ignore', 'inherit'] });
const lines = readFileSync(out, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as OracleLine);
rmSync(jobs, { recursive: true });

/** The kernel's log within libbpf's warnings. */
function kernelLog(libbpf: string): string | null {
  return /-- BEGIN BTF LOAD LOG ---\n([^]*?)\n-- END BTF LOAD LOG --/.exec(libbpf)?.[1] ?? null;
}

const verdicts = names.map((name, i) => {
  const job = lines.find((line) => line.object === 'verdicts.jobs' && line.prog === String(i));
  const object = lines.find((line) => line.object === `${i}.o`);
  return { name, errno: -(job?.btf_errno ?? 0), log: kernelLog(object?.libbpf ?? '') };
});
writeFileSync(join(here, 'verdicts.json'), `${JSON.stringify(verdicts, null, 1)}\n`);
