/** What a real kernel said of a program of ours (test/golden/record), and how to read it. Bytes are hexadecimal text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GoldenException {
  readonly offset: number;
  readonly resume: number;
  readonly register: number;
  readonly raw: string;
}

export interface GoldenFunction {
  readonly address: string;
  readonly code: string;
  readonly exceptionTable: readonly GoldenException[];
  readonly stackDepth: number;
  readonly aux: string;
  /** The instructions as the kernel's JIT was given them. */
  readonly jitInput: string;
}

export interface GoldenRecord {
  readonly object: string;
  readonly program: string;
  readonly section: string;
  readonly type: number;
  readonly attachType: number;
  readonly errno: number;
  /** As handed to the verifier. */
  readonly instructions: string;
  /** As the kernel dumps them; empty where it rejected the program, as are the functions. */
  readonly translated: string;
  /** The program's own struct bpf_prog_aux; each function has one of its own, too. */
  readonly programAux: string;
  readonly functions: readonly GoldenFunction[];
  readonly maps: readonly { name: string; address: string; valueAddress: string; kernelAddress: string }[];
  readonly log: string;
  /** What BPF_PROG_TEST_RUN returned, where the job has `run`. */
  readonly returnValue?: number;
}

const HERE = import.meta.dirname;

/** Names (without extension) of a folder's recordings. */
export function goldenNames(folder: string): string[] {
  return readdirSync(join(HERE, folder))
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => name.slice(0, -'.jsonl'.length))
    .sort();
}

export function readGolden(folder: string, name: string): GoldenRecord[] {
  const lines = readFileSync(join(HERE, folder, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as GoldenRecord);
}

export function readGoldenObject(folder: string, name: string): Uint8Array {
  return readFileSync(join(HERE, folder, `${name}.o`));
}
