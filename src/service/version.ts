/** What makes one build's answers its own. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HERE = fileURLToPath(new URL('../', import.meta.url));

export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

/** SHA-256 over all code and schemas that decide an answer, as they lie on disk (sources under tsx, else the build). */
export function buildId(): string {
  const hash = createHash('sha256').update(VERSION);
  for (const dir of [join(HERE, 'compiler'), join(HERE, 'service', 'contract'), join(ROOT, 'proto')]) {
    for (const file of sourceFiles(dir)) hash.update(relative(dir, file)).update('\0').update(readFileSync(file));
  }
  return hash.digest('hex');
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:js|ts|proto)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
