/** Bundles a target into one CommonJS file, the form of module that Jazzer.js instruments. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** CommonJS has no import.meta: each file is told where its source lies. */
const sourceUrls: Plugin = {
  name: 'source-urls',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/(?:src|test)\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

/** Answers the file's path. */
export async function bundle(target: string, directory: string): Promise<string> {
  const outfile = join(directory, `${target}.cjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'targets', `${target}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'error',
    packages: 'external',
    plugins: [sourceUrls],
  });
  return outfile;
}
