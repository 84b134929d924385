/** Writes what is generated from tables and proto/; with --check, fails where something is not up to date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientMessages } from './client-messages.js';
import { behavioursDocument } from '../src/compiler/targets/behaviour.js';
import { openApiDocument } from '../src/service/contract/openapi.js';
import { refusalsDocument } from './refusals.js';
import { metricsDocument } from '../src/service/telemetry/metrics-table.js';

const FILES: Readonly<Record<string, () => string>> = {
  'openapi/openapi.json': () => `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  'docs/metrics.md': metricsDocument,
  'docs/behaviours.md': behavioursDocument,
  'docs/refusals.md': refusalsDocument,
  'src/client/generated/messages.ts': clientMessages,
};

for (const [name, generate] of Object.entries(FILES)) {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const text = generate();
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`${name} is not up to date: npm run generate`);
    process.exitCode = 1;
  }
}
