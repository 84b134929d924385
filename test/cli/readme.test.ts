/** The README's commands print what the README says they print; a line `…` stands for any number of lines. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { testService } from '../service/fixtures/service.js';
import { cli } from './fixtures/cli.js';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const ROOT = new URL('../../', import.meta.url).pathname;

t.setTimeout(120_000);

/** Commands of the README with what stands below each. */
const shown = [...readme.matchAll(/^```\n(\$ [\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = '', ...lines] = text.replace(/\|\n\s+/g, '| ').split('\n');
      return { command, lines: lines.join('\n').trimEnd().split('\n') };
    }),
);

function holds(output: string, lines: readonly string[]): boolean {
  const escaped = lines.map((line) => (line === '…' ? '[^]*?' : `${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\n`));
  return new RegExp(`^${escaped.join('')}\\n*$`).test(output);
}

t.test('command line', async (t) => {
  const compiled = shown.filter(({ command }) => command.startsWith('npx bpf-jitd '));
  t.equal(compiled.length, 2);
  for (const { command, lines } of compiled) {
    const { out } = await cli(command.split(' ').slice(2), { cwd: ROOT });
    t.ok(holds(out, lines), `${command}\n${out.slice(0, 2000)}`);
  }
});

t.test('curl', async (t) => {
  const [{ command, lines }] = shown.filter(({ command }) => command.startsWith('curl ')) as [(typeof shown)[0]];
  const [, file = '', path = ''] = /@(\S+) 'http:\/\/localhost:8080(\S+)'/.exec(command) ?? [];
  const service = await testService(t);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }; // as curl says
  const body = readFileSync(ROOT + file);
  const response = await fetch(service.url + path, { method: 'POST', headers, body });
  const { programs } = (await response.json()) as { programs: readonly Record<string, unknown>[] };
  const printed = programs.map(({ name, accepted, errno, log }) =>
    JSON.stringify({ name, accepted, errno, log }, null, 2),
  );
  t.ok(holds(`${printed.join('\n')}\n`, lines), printed.join('\n'));
});
