/** Which objects a command line means: files, folders and globs. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { globSync, isDynamicPattern } from 'tinyglobby';
import { UsageError } from '../usage.js';

/** What an object is called in a folder. */
const OBJECTS = '**/*.o';

/**
 * The files that `patterns` name, in the order given and sorted inside of each folder or glob, none twice. A name that is no
 * glob is kept whether there is such a file or not: that it is missing is told in its row. Throws UsageError where a folder or
 * a glob has no object.
 */
export function objectFiles(patterns: readonly string[]): readonly string[] {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const glob = globOf(pattern);
    if (glob === null) {
      files.add(pattern);
      continue;
    }
    const found = globSync(glob, { dot: true, expandDirectories: false }).sort();
    if (found.length === 0) throw new UsageError(`no object matches ${pattern}`);
    for (const file of found) files.add(file);
  }
  return [...files];
}

/** A folder stands for the objects below it. Null for the name of a file. */
function globOf(pattern: string): string | null {
  const stat = statSync(pattern, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return join(pattern, OBJECTS);
  return stat === undefined && isDynamicPattern(pattern) ? pattern : null;
}
