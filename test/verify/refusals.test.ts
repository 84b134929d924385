/** The catalogue of refusals: every entry has a name of its own, a known class, and a place in the verifier that uses it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { CLASSES } from '../../src/compiler/verify/refusals/classes.js';
import { Refused, type Refusal } from '../../src/compiler/verify/refusals/refusal.js';
import { WALK } from '../../src/compiler/verify/refusals/walk.js';

const SRC = join(import.meta.dirname, '../../src/compiler/verify');

const parts = new Map<string, Record<string, Refusal<never>>>();
for (const file of readdirSync(join(SRC, 'refusals'))) {
  const exported = (await import(join(SRC, 'refusals', file))) as Record<string, unknown>;
  for (const [name, value] of Object.entries(exported)) {
    const isPart = name === name.toUpperCase() && name !== 'CLASSES';
    if (isPart) parts.set(name, value as Record<string, Refusal<never>>);
  }
}

const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(SRC, file), 'utf8'))
  .join('\n');

tap.test('names, classes and errnos', (t) => {
  const seen = new Set<string>();
  for (const part of parts.values()) {
    for (const [key, kind] of Object.entries(part)) {
      t.equal(kind.id, key);
      t.notOk(seen.has(key), `${key} stands once in the catalogue`);
      seen.add(key);
      t.ok(kind.class in CLASSES, `${key}: class ${kind.class}`);
      t.match(kind.means, /^[A-Z].*\.$/, `${key} says in a sentence what it means`);
      t.ok(kind.errno === undefined || kind.errno > 0, key);
    }
  }
  t.ok(seen.size > 400);
  t.end();
});

tap.test('every entry is used, and every class has one', (t) => {
  const classes = new Set<string>();
  for (const [name, part] of parts) {
    for (const [key, kind] of Object.entries(part)) {
      t.ok(new RegExp(`\\b${name}\\.${key}\\b`).test(code), `${name}.${key}`);
      classes.add(kind.class);
    }
  }
  t.strictSame([...classes].sort(), Object.keys(CLASSES).sort());
  t.end();
});

tap.test('sentences: the innermost first, in the words of the kernel', (t) => {
  const inner = new Refused(WALK.registerUninitialised as Refusal, [3], null);
  const outer = new Refused(WALK.infiniteLoop as Refusal, [7], inner);
  t.equal(outer.message({}), 'R3 !read_ok\ninfinite loop detected at insn 7');
  const wording = { registerUninitialised: (regno: number) => `R${regno} is not initialised` };
  t.equal(outer.message(wording), 'R3 is not initialised\ninfinite loop detected at insn 7', 'words of another kernel');
  const silent = new Refused(WALK.logTooLong as Refusal, [], null);
  t.equal(new Refused(WALK.infiniteLoop as Refusal, [7], silent).message({}), 'infinite loop detected at insn 7');
  t.end();
});
