import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A line of a corpus's kernel.jsonl.gz. */
interface Recorded {
  readonly object: string;
  readonly prog: string;
  readonly err: number;
  readonly verified_insns?: number;
}

export interface BenchProgram {
  /** The object's file name, and the program's in it. */
  readonly object: string;
  readonly name: string;
  readonly elf: Uint8Array;
}

/** The accepted programs of a corpus for which the recorded kernel looked at the most instructions, the largest first. */
export function largestPrograms(corpus: string, count: number): BenchProgram[] {
  const lines = gunzipSync(readFileSync(join(corpus, 'kernel.jsonl.gz')))
    .toString()
    .trim()
    .split('\n');
  const accepted = lines.map((line) => JSON.parse(line) as Recorded).filter(({ err }) => err === 0);
  const size = ({ verified_insns: instructions = 0 }: Recorded): number => instructions;
  return accepted
    .sort((a, b) => size(b) - size(a))
    .slice(0, count)
    .map(({ object, prog: name }) => ({ object, name, elf: readFileSync(join(corpus, 'objects', object)) }));
}
