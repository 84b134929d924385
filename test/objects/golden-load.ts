/** What a `record.ts` wrote down of programs that libbpf handed to a kernel: a line each in its folder's golden.jsonl. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { maskInstructions } from './golden.js';

export interface GoldenLoad {
  readonly id: string;
  readonly errno: number;
  /** As handed to the kernel, in hexadecimal. */
  readonly instructions: string;
  readonly log: string;
  readonly libbpf: string;
  readonly translated?: string;
  readonly functions?: readonly { readonly address: string; readonly code: string }[];
  /** In place of a program: where the kernel had a symbol. */
  readonly symbol?: string;
  readonly address?: string;
}

const CALL = 0x85;

export function readGoldenLoads(folder: string): readonly GoldenLoad[] {
  const lines = readFileSync(join(folder, 'golden.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as GoldenLoad);
}

/** Instructions without what only a running kernel knows: descriptors, map addresses, and the targets of calls if asked for. */
export function maskLoaded(hex: string, calls: boolean): string {
  const bytes = maskInstructions(Buffer.from(hex, 'hex'));
  for (let i = 0; calls && i + 8 <= bytes.length; i += 8) if (bytes[i] === CALL) bytes.writeInt32LE(0, i + 4);
  return bytes.toString('hex');
}
