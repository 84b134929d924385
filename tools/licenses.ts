/**
 * Holds the licences of everything that is installed for production against a list of those that go with Apache-2.0. Reads
 * node_modules as npm names it (`npm ls`), and says each package that has another licence, or none.
 */
import { execFileSync } from 'node:child_process';

/** SPDX identifiers: permissive ones, whose notices lie with the packages. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'CC0-1.0', 'ISC', 'MIT', 'MIT-0'],
  ...['Python-2.0', 'Unlicense', 'Zlib'],
]);

/** Looked at by hand, with what was found. */
const REVIEWED: ReadonlyMap<string, string> = new Map([
  ['capstone-wasm@1.0.3', 'states none; Capstone, which it is compiled from, is under BSD-3-Clause'],
]);

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
}

/** Whether the expression allows one of them: `(MIT OR GPL-2.0)`, and all parts of `MIT AND ISC`. */
function allowed(expression: string): boolean {
  const plain = expression.replace(/[()]/g, '');
  return plain.split(/ OR /i).some((choice) => choice.split(/ AND /i).every((one) => ALLOWED.has(one.trim())));
}

function installed(): readonly Package[] {
  const query = ['query', '.prod', '--json'];
  return JSON.parse(execFileSync('npm', query, { encoding: 'utf8', maxBuffer: 1 << 28 })) as Package[];
}

for (const { name, version, license } of installed()) {
  if (typeof license === 'string' && allowed(license)) continue;
  const named = `${name}@${version}`;
  const reviewed = REVIEWED.get(named);
  console.error(`${named}: ${reviewed ?? (typeof license === 'string' ? license : 'states no licence')}`);
  if (reviewed === undefined) process.exitCode = 1;
}
