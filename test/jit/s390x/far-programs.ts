/**
 * Programs whose branches and literals lie around the end of what the short forms reach: 64 KiB either way for branches,
 * 512 KiB for displacements. far.json has for each where the kernel put it, which is
 * part of the code, and the code's SHA-256. As a program, it prints the oracle's
 * job file, and takes the digests out of what the oracle wrote:
 *
 *     npx tsx test/jit/s390x/far-programs.ts > DIR/far.jobs && record --target linux-6.12-s390x-z13 DIR out.jsonl
 *     npx tsx test/jit/s390x/far-programs.ts out.jsonl
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIG_ENDIAN } from '../../../src/compiler/bytes/byte-order.js';
import type { Instructions } from '../../../src/compiler/isa/instructions.js';
import { assemble } from '../../verify/assembler.js';

export interface FarProgram {
  readonly name: string;
  readonly insns: Instructions;
}

/** `count` instructions of two bytes of code each. */
const short = (count: number): string[] => Array.from({ length: count }, () => 'w8 += w9');
/** `count` instructions of six bytes of code, and an 8-byte literal each. */
const masks = (count: number): string[] => Array.from({ length: count }, (_, k) => `r8 &= ${-2 - k}`);

/** Numbers that the verifier does not know. */
const RANDOM = 'call bpf_get_prandom_u32#7';
/** Where the kernel calls for it: the distance of bpf_get_prandom_u32 from __bpf_call_base. */
export const HELPER = 0x4f60;
const START = [RANDOM, 'r7 = r0', RANDOM, 'r6 = r0', 'r8 = r0', 'r9 = r0'];
const END = ['r0 = 0', 'exit'];

const CONDITIONS = [
  'if r6 > 50',
  'if w6 > 40',
  'if r6 s> 30',
  'if w6 s< 3',
  'if r6 & 8',
  'if w6 & 8',
  'if r6 > r7',
  'if w6 <= w7',
  'if r6 s>= r7',
  'if w6 s<= w7',
  'if r6 & r7',
  'if w6 & w7',
];

/** All conditions, one behind the other, jump over `count` short instructions. */
function forward(count: number): FarProgram {
  const jumps = CONDITIONS.map((condition, k) => `${condition} goto pc+${count + CONDITIONS.length - 1 - k}`);
  return { name: `forward ${count}`, insns: assemble([...START, ...jumps, ...short(count), ...END]) };
}

/** A loop over `count` short instructions, entered at its end, with a way out to the end of the program. */
function backward(count: number): FarProgram {
  const body = [...short(count), 'r6 += -1', 'r6 &= 1', `if r6 s> 0 goto pc-${count + 3}`];
  return { name: `backward ${count}`, insns: assemble([...START, 'r6 &= 1', ...body, ...END]) };
}

/** Exits far from the end. */
function exits(count: number): FarProgram {
  const lines = [...START, 'if r6 == 1 goto pc+2', 'r0 = 1', 'exit', ...short(count), ...END];
  return { name: `exits ${count}`, insns: assemble(lines) };
}

/** 32-bit jump offsets over more than 32,767 instructions, and literals beyond the reach of a displacement. */
function literals(count: number): FarProgram {
  const divisions = ['r8 /= 7', 'r8 s/= 7', 'r8 |= 7', 'r8 ^= 7', 'w8 /= 7', 'w8 s%= 7'];
  const lines = [...START, 'if r6 == 1 goto pc+1', `gotol pc+${count}`, ...masks(count), ...divisions, ...END];
  return { name: `literals ${count}`, insns: assemble(lines) };
}

export const FAR_PROGRAMS: readonly FarProgram[] = [
  ...[32_690, 32_700, 32_710, 32_720, 32_740].map(forward),
  ...[32_754, 32_758, 32_762, 32_764].map(backward),
  ...[32_740, 32_753, 32_757, 32_759, 32_762].map(exits),
  // basr to larl; and behind 65,536 literals of 8 bytes, no displacement reaches.
  ...[37_430, 37_448, 65_520, 65_540].map(literals),
];

export interface FarCode {
  readonly address: string;
  readonly digest: string;
}

export function readRecorded(): Record<string, FarCode> {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'far.json'), 'utf8')) as Record<string, FarCode>;
}

export function digest(code: Uint8Array): string {
  return createHash('sha256').update(code).digest('hex');
}

function printJobs(): void {
  for (const { name, insns } of FAR_PROGRAMS) {
    const hex = Buffer.from(insns.toWire(BIG_ENDIAN)).toString('hex');
    console.log(`name=${name}\ntype=1\nlog_level=1\ninsns=${hex}\n`);
  }
}

interface Recorded {
  readonly prog?: string;
  readonly err?: number;
  readonly jited?: string;
  readonly kernel_functions?: readonly { readonly address: string }[];
}

function takeDigests(file: string): void {
  const codes: Record<string, FarCode> = {};
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { prog, err, jited, kernel_functions: functions } = JSON.parse(line) as Recorded;
    if (prog === undefined) continue;
    if (err !== 0 || jited === undefined || functions === undefined) throw new Error(`${prog}: ${err}`);
    codes[prog] = { address: `0x${functions[0]!.address}`, digest: digest(Buffer.from(jited, 'hex')) };
  }
  writeFileSync(join(import.meta.dirname, 'far.json'), `${JSON.stringify(codes, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === undefined) printJobs();
  else takeDigests(process.argv[2]);
}
