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

const EXTABLE_ENTRY = 12;

/** struct exception_table_entry: places relative to the fields themselves, and the register in the fixup's top bits. */
function exceptionTable(fn: RawFunction): GoldenException[] {
  const bytes = Buffer.from(fn.extable, 'hex');
  const base = BigInt(`0x${fn.address}`);
  const table = Number(BigInt(`0x${fn.extable_address}`) - base);
  return Array.from({ length: bytes.length / EXTABLE_ENTRY }, (_, k) => {
    const at = k * EXTABLE_ENTRY;
    const fixup = bytes.readInt32LE(at + 4);
    return {
      offset: table + at + bytes.readInt32LE(at),
      resume: table + at + 4 - (fixup & 0x7ffffff),
      register: fixup >>> 27,
      raw: bytes.subarray(at, at + 10).toString('hex'),
    };
  });
}

function functions(raw: RawRecord): GoldenFunction[] {
  const code = Buffer.from(raw.jited ?? '', 'hex');
  let at = 0;
  return (raw.kernel_functions ?? []).map((fn) => ({
    address: `0x${fn.address}`,
    code: code.subarray(at, (at += fn.size)).toString('hex'),
    exceptionTable: exceptionTable(fn),
    stackDepth: fn.stack_depth,
    aux: `0x${fn.aux}`,
    jitInput: fn.jit_input,
  }));
}

function golden(raw: RawRecord): GoldenRecord {
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
    functions: functions(raw),
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
for (const line of readFileSync(input, 'utf8').trim().split('\n')) {
  const raw = JSON.parse(line) as Partial<RawRecord>;
  if (raw.err === undefined || raw.object === undefined) continue;
  const name = raw.object.replace(/\.(o|jobs)$/, '.jsonl');
  const lines = files.get(name) ?? [];
  lines.push(JSON.stringify(golden(raw as RawRecord)));
  files.set(name, lines);
  if (raw.err !== 0) console.log(`${raw.object} ${raw.prog ?? ''}: rejected, ${raw.err}`);
}
for (const [name, lines] of files) writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
