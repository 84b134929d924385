/** Batches of code for harness.c: what to map and write, what to run, what came out. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIG_ENDIAN, LITTLE_ENDIAN, type ByteOrder } from '../../src/compiler/bytes/byte-order.js';
import { ByteWriter } from '../../src/compiler/bytes/writer.js';
import type { CompiledFunction } from '../../src/compiler/jit/program.js';

const COMMAND = { map: 1, write: 2, standIn: 3, table: 4, run: 5, forget: 6, peek: 7 } as const;

/** The harness's stand-ins for kernel functions, in its order. */
export const STAND_INS = ['map_lookup_elem', 'map_update_elem', 'seq_write'] as const;
export type StandIn = (typeof STAND_INS)[number];

export interface Ran {
  /** Of each `run` and `peek`, as unsigned 64-bit numbers. */
  readonly results: readonly bigint[];
  /** The 64-bit words of each write to an iterator. */
  readonly written: readonly (readonly number[])[];
  /** The signal that killed the process, or null. */
  readonly signal: string | null;
}

/** How code of an architecture is run here. */
export interface MachineKind {
  readonly compiler: string;
  /** Null where the host runs it by itself. */
  readonly emulator: string | null;
  readonly order: ByteOrder;
}

export const ARM64: MachineKind = {
  compiler: 'aarch64-linux-gnu-gcc',
  emulator: 'qemu-aarch64',
  order: LITTLE_ENDIAN,
};
export const S390X: MachineKind = { compiler: 's390x-linux-gnu-gcc', emulator: 'qemu-s390x', order: BIG_ENDIAN };

export const X86_64: MachineKind = {
  compiler: 'x86_64-linux-gnu-gcc',
  emulator: process.arch === 'x64' ? null : 'qemu-x86_64',
  order: LITTLE_ENDIAN,
};

/** The cross-compiled harness in a directory of its own. */
export class Machine {
  private readonly directory = mkdtempSync(join(tmpdir(), 'bpf-jitd-run-'));
  private readonly harness = join(this.directory, 'harness');

  constructor(private readonly kind: MachineKind = ARM64) {
    const source = join(import.meta.dirname, 'harness.c');
    execFileSync(kind.compiler, ['-O1', '-static', '-Wall', '-Werror', '-o', this.harness, source]);
  }

  /** An empty batch for it. */
  batch(): Batch {
    return new Batch(this.kind.order);
  }

  run(batch: Batch): Ran {
    const file = join(this.directory, 'batch');
    writeFileSync(file, batch.toBytes());
    const { emulator } = this.kind;
    const [command, ...rest] = emulator === null ? [this.harness] : [emulator, this.harness];
    const { stdout, signal, status } = spawnSync(command!, [...rest, file], { encoding: 'utf8' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    const results = lines.filter((line) => !line.startsWith('write ')).map((line) => BigInt(`0x${line}`));
    const written = lines
      .filter((line) => line.startsWith('write '))
      .map((line) => line.slice(6).split(' ').map(Number));
    if (signal === null && status !== 0 && (status ?? 0) < 128) throw new Error(`the harness answered ${status}`);
    return { results, written, signal: signal ?? (status === 128 + 11 ? 'SIGSEGV' : null) };
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }
}

export class Batch {
  private readonly out: ByteWriter;

  /** Commands and words in memory are in the machine's byte order. */
  constructor(private readonly order: ByteOrder = LITTLE_ENDIAN) {
    this.out = new ByteWriter(order);
  }

  private words(...values: readonly (number | bigint)[]): this {
    for (const value of values) {
      const bits = BigInt.asUintN(64, BigInt(value));
      const [low, high] = [Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
      if (this.order === LITTLE_ENDIAN) this.out.u32(low).u32(high);
      else this.out.u32(high).u32(low);
    }
    return this;
  }

  /** Zeroed memory; whole pages. */
  map(address: number, length: number): this {
    return this.words(COMMAND.map, address, length);
  }
  write(address: number, bytes: Uint8Array): this {
    this.words(COMMAND.write, address, bytes.length);
    this.out.raw(bytes).align(8);
    return this;
  }
  writeWord(address: number, value: number | bigint): this {
    return this.words(COMMAND.write, address, 8, value);
  }
  standIn(address: number, name: StandIn): this {
    return this.words(COMMAND.standIn, address, STAND_INS.indexOf(name));
  }
  /** A function's code at its address, and its exception table behind it, where the kernel lays it. */
  load(address: number, fn: CompiledFunction): this {
    this.write(address, fn.code);
    const { exceptionTable: table, exceptionTableOffset } = fn;
    if (table.length === 0) return this;
    const at = address + exceptionTableOffset;
    this.write(at, Buffer.concat(table.map((entry) => entry.raw)));
    return this.words(COMMAND.table, at, table.length);
  }
  run(entry: number, argument: number | bigint = 0): this {
    return this.words(COMMAND.run, entry, argument);
  }
  peek(address: number): this {
    return this.words(COMMAND.peek, address);
  }
  forgetTables(): this {
    return this.words(COMMAND.forget);
  }

  toBytes(): Uint8Array {
    return this.out.toBytes();
  }
}
