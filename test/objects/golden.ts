/** What `record.ts` wrote down of the objects of this folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GoldenMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
}

export interface GoldenProgram {
  /** File name below test/objects. */
  readonly object: string;
  /** '' where the object was refused as a whole. */
  readonly program: string;
  readonly section: string;
  readonly type: number;
  readonly attachType: number;
  readonly errno: number;
  /** Whether the kernel's verifier saw it. */
  readonly verified: boolean;
  /** As handed to the kernel, masked, in hexadecimal. */
  readonly instructions: string;
  readonly maps: readonly GoldenMap[];
  /** libbpf's warnings. */
  readonly libbpf: readonly string[];
  /** Of programs that were refused, without its time. */
  readonly log: string;
}

const LD_IMM64 = 0x18;
const CALL = 0x85;

/** Instructions without what only a running kernel knows: descriptors of maps, and where kernel variables lie. */
export function maskInstructions(bytes: Uint8Array): Buffer {
  const out = Buffer.from(bytes);
  for (let i = 0; i + 8 <= out.length; i += 8) {
    const source = (out[i + 1] ?? 0) >> 4;
    if (out[i] === LD_IMM64) {
      if (source === 1 || source === 2) out.writeInt32LE(0, i + 4);
      i += 8;
    } else if (out[i] === CALL && source === 2) {
      out.writeInt16LE(0, i + 2);
    }
  }
  return out;
}

export function readGolden(): readonly GoldenProgram[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8')) as GoldenProgram[];
}

export function readObjectFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, name)));
}
