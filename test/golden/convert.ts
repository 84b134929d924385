/** Turns what the kernel oracle wrote into golden files: FOLDER/NAME.jsonl of each object or job file, a program a line. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldenException, GoldenFunction, GoldenRecord } from './golden.js';

interface RawFunction {
  address: string;
  size: number;
  extable: string;
  extable_address: string;
  stack_depth: number;
  aux: string;
  jit_input: string;
}
interface RawRecord {
  object: string;
  prog: string;
  aux?: string;
  section?: string;
  type: number;
  attach_type: number;
  flags?: number;
  err: number;
  insns: string;
  xlated?: string;
  jited?: string;
  kernel_functions?: RawFunction[];
  maps?: { name: string; address: string; value_address: string; kernel_address: string }[];
  log: string;
  run_err?: number;
  retval?: number;
}

/** One entry, read as its architecture lays it out; `at`: its offset from the function's start. */
type ReadEntry = (bytes: Buffer, at: number) => GoldenException;

const EXTABLE_ENTRY = 12;

/** Offsets in x86-64's struct pt_regs, by register number. */
const SAVED_AT = [80, 88, 96, 40, 152, 32, 104, 112, 72, 64, 56, 48, 24, 16, 8, 0];

/**
 * struct exception_table_entry by the machine's name: places relative to the fields themselves. arm64 has the register in
 * the fixup's top bits; s390x in a field of its own, -1 for none; x86-64 as its place in struct pt_regs, and above the
 * length of the access.
 */
const READ_ENTRY: Readonly<Record<string, ReadEntry>> = {
  aarch64(bytes, at) {
    const fixup = bytes.readInt32LE(4);
    const offset = at + bytes.readInt32LE(0);
    const raw = bytes.subarray(0, 10).toString('hex');
    return { offset, resume: at + 4 - (fixup & 0x7ffffff), register: fixup >>> 27, raw };
  },
  x86_64(bytes, at) {
    const offset = at + bytes.readInt32LE(0);
    const fixup = bytes.readInt32LE(4);
    return {
      offset,
      resume: offset + (fixup & 0xff),
      register: SAVED_AT.indexOf(fixup >> 8),
      raw: bytes.toString('hex'),
    };
  },
  s390x(bytes, at) {
    const offset = at + bytes.readInt32BE(0);
    return {
      offset,
      resume: at + 4 + bytes.readInt32BE(4),
      register: bytes.readInt16BE(10),
      raw: bytes.toString('hex'),
    };
  },
};

function exceptionTable(fn: RawFunction, read: ReadEntry): GoldenException[] {
  const bytes = Buffer.from(fn.extable, 'hex');
  const base = BigInt(`0x${fn.address}`);
  const table = Number(BigInt(`0x${fn.extable_address}`) - base);
  return Array.from({ length: bytes.length / EXTABLE_ENTRY }, (_, k) => {
    const at = k * EXTABLE_ENTRY;
    return read(bytes.subarray(at, at + EXTABLE_ENTRY), table + at);
  });
}

function functions(raw: RawRecord, read: ReadEntry): GoldenFunction[] {
  const code = Buffer.from(raw.jited ?? '', 'hex');
  let at = 0;
  return (raw.kernel_functions ?? []).map((fn) => ({
    address: `0x${fn.address}`,
    code: code.subarray(at, (at += fn.size)).toString('hex'),
    exceptionTable: exceptionTable(fn, read),
    stackDepth: fn.stack_depth,
    aux: `0x${fn.aux}`,
    jitInput: fn.jit_input,
  }));
}

function golden(raw: RawRecord, read: ReadEntry): GoldenRecord {
  return {
    object: raw.object,
    program: raw.prog,
    section: raw.section ?? '',
    type: raw.type,
    attachType: raw.attach_type,
    errno: raw.err,
    instructions: raw.insns,
    translated: raw.xlated ?? '',
    programAux: raw.aux === undefined ? '0x0' : `0x${raw.aux}`,
    functions: functions(raw, read),
    maps: (raw.maps ?? []).map(({ name, address, value_address, kernel_address }) => ({
      name,
      address,
      valueAddress: value_address,
      kernelAddress: kernel_address,
    })),
    log: raw.log.replace(/^verification time .*\n/m, ''),
    ...(raw.run_err === 0 && raw.retval !== undefined ? { returnValue: raw.retval } : {}),
  };
}

const [input, folder] = process.argv.slice(2);
if (input === undefined || folder === undefined) throw new Error('convert.ts RAW.jsonl FOLDER');
const files = new Map<string, string[]>();
let machine = 'aarch64';
for (const line of readFileSync(input, 'utf8').trim().split('\n')) {
  const raw = JSON.parse(line) as Partial<RawRecord> & { machine?: string };
  if (raw.machine !== undefined) machine = raw.machine;
  if (raw.err === undefined || raw.object === undefined) continue;
  const name = raw.object.replace(/\.(o|jobs)$/, '.jsonl');
  const lines = files.get(name) ?? [];
  lines.push(JSON.stringify(golden(raw as RawRecord, READ_ENTRY[machine]!)));
  files.set(name, lines);
  if (raw.err !== 0) console.log(`${raw.object} ${raw.prog ?? ''}: rejected, ${raw.err}`);
}
for (const [name, lines] of files) writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
