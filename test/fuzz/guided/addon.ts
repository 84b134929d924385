/**
 * Jazzer.js comes with its addon built against glibc 2.38 and GCC 13, of which it uses three functions that older systems
 * (Debian 12) do not have: there they are given in a library of our own, and the addon is told that it need not insist.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const MISSING = `
long strtol(const char *, char **, int);
unsigned long strtoul(const char *, char **, int);
long __isoc23_strtol(const char *s, char **e, int b) { return strtol(s, e, b); }
unsigned long __isoc23_strtoul(const char *s, char **e, int b) { return strtoul(s, e, b); }
void _ZSt21ios_base_library_initv(void) {}
`;
/** Versions that those functions are asked for with. */
const VERSIONS = ['GLIBC_2.38', 'GLIBCXX_3.4.32'];
/** VER_FLG_WEAK: the loader starts the program where the version is not there (gABI, symbol versioning). */
const WEAK = 2;

/** What the environment of Jazzer.js needs besides, so that its addon loads. Throws where it cannot be made to. */
export function addonEnvironment(directory: string): Record<string, string> {
  if (loads()) return {};
  const addon = addonFile();
  const bytes = readFileSync(addon);
  for (const version of VERSIONS) weaken(bytes, version);
  writeFileSync(addon, bytes);
  const library = join(directory, 'older-libc.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-x', 'c', '-o', library, '-'], { input: MISSING });
  const environment = { LD_PRELOAD: library };
  if (!loads(environment)) throw new Error('the addon of Jazzer.js does not load on this system');
  return environment;
}

function addonFile(): string {
  const manifest = createRequire(import.meta.url).resolve('@jazzer.js/fuzzer/package.json');
  return join(dirname(manifest), 'prebuilds', `fuzzer-${process.platform}-${process.arch}.node`);
}

function loads(environment: Record<string, string> = {}): boolean {
  try {
    const script = `require(${JSON.stringify(addonFile())})`;
    execFileSync(process.execPath, ['-e', script], {
      stdio: 'ignore',
      env: { ...process.env, ...environment, LD_BIND_NOW: '1' },
    });
    return true;
  } catch {
    return false;
  }
}

/** A requirement (Elfxx_Vernaux) begins with the hash of its version's name; flags follow. */
function weaken(elf: Buffer, version: string): void {
  const hash = Buffer.alloc(4);
  hash.writeUInt32LE(elfHash(version));
  const at = elf.indexOf(hash);
  if (at >= 0) elf.writeUInt16LE(WEAK, at + 4);
}

/** The hash of the System V ABI. */
function elfHash(name: string): number {
  let hash = 0;
  for (const char of Buffer.from(name)) {
    hash = (hash * 16 + char) >>> 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}
