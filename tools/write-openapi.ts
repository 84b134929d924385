/** Writes openapi/openapi.json: `npx tsx tools/write-openapi.ts`. A test holds the file against the document. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../src/service/contract/openapi.js';

const folder = new URL('../openapi/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('openapi.json', folder), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
