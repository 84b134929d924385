/** Writes openapi/openapi.json from proto/ and the service's tables; with --check, fails where it is not up to date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../src/service/contract/openapi.js';

const folder = new URL('../openapi/', import.meta.url);
const file = new URL('openapi.json', folder);
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error('openapi/openapi.json is not up to date: npm run generate');
  process.exitCode = 1;
}
