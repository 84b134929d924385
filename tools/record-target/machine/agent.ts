import type { Readable, Writable } from 'node:stream';
import type { ByteOrder } from '../../../src/compiler/bytes/byte-order.js';
import { ByteReader } from '../../../src/compiler/bytes/reader.js';
import * as cap from '../../../src/compiler/targets/capabilities.js';

/** Linux's numbers of the capabilities that bpf(2) asks for. */
export const LINUX_NUMBERS: readonly (readonly [capability: number, number: bigint])[] = [
  [cap.CAP_NET_ADMIN, 12n],
  [cap.CAP_SYS_ADMIN, 21n],
  [cap.CAP_SYS_BOOT, 22n],
  [cap.CAP_PERFMON, 38n],
  [cap.CAP_BPF, 39n],
];

/** What becomes of the descriptor that a successful bpf(2) command answers. */
export const THEN_KEEP = 0;
export const THEN_CLOSE = 1;
export const THEN_DUMP = 2;
export const THEN_DUMP_ALL = 3;

export interface BpfBuffer {
  /** Where in the attribute the buffer's address goes. */
  readonly offset: number;
  /** Bytes handed over, or the room for an answer. */
  readonly in?: Uint8Array;
  readonly out?: number;
  /** The answer is text: only what stands before its NUL comes back. */
  readonly text?: number;
}

export interface BpfAnswer {
  /** What bpf(2) returned, or a negative errno. */
  readonly result: number;
  /** The buffers that were no input, in order. */
  readonly buffers: readonly Uint8Array[];
  /** The translated program, with THEN_DUMP or THEN_DUMP_ALL. */
  readonly translated: Uint8Array | null;
  /** With THEN_DUMP_ALL. */
  readonly compiled: CompiledProgram | null;
}

/** What the kernel's JIT made of a program. */
export interface CompiledProgram {
  /** All functions' code, one behind the other. */
  readonly code: Uint8Array;
  readonly addresses: readonly bigint[];
  readonly lengths: readonly number[];
  /** Ids of its maps. */
  readonly maps: readonly number[];
}

/** A read-only view of the recorded kernel's memory. */
export interface Peek {
  /** Null where the kernel has no such memory. */
  (address: bigint, size: number): Promise<Uint8Array | null>;
}

interface Waiting {
  resolve(answer: Buffer): void;
  reject(error: Error): void;
}

/**
 * The line to the agent (agent/agent.c, which documents the messages). Requests are answered in order; many may be under
 * way at once, which is what makes thousands of questions quick.
 */
export class Agent {
  private readonly waiting: Waiting[] = [];
  private chunks: Buffer[] = [];
  private have = 0;
  private failure: Error | null = null;

  constructor(
    private readonly to: Writable,
    from: Readable,
    /** The machine's: of everything in memory, attributes and programs. The messages themselves are little-endian. */
    readonly order: ByteOrder,
  ) {
    from.on('data', (chunk: Buffer) => {
      this.take(chunk);
    });
    const ended = () => {
      this.fail(new Error('the line to the agent was closed'));
    };
    from.on('close', ended);
    from.on('error', ended);
    to.on('error', ended);
  }

  /** Contents of a file of the machine; null where it cannot be read. */
  async file(path: string): Promise<Buffer | null> {
    const answer = await this.request(Buffer.concat([Buffer.of(1), Buffer.from(path)]));
    return answer.readInt32LE(0) === 0 ? answer.subarray(4) : null;
  }

  /** Kernel memory of all the places at once; null for those that cannot be read. */
  async peek(places: readonly { address: bigint; size: number }[]): Promise<(Buffer | null)[]> {
    const request = Buffer.alloc(1 + 12 * places.length);
    request[0] = 2;
    places.forEach(({ address, size }, i) => {
      request.writeBigUInt64LE(BigInt.asUintN(64, address), 1 + 12 * i);
      request.writeUInt32LE(size, 9 + 12 * i);
    });
    const answer = await this.request(request);
    let at = 0;
    return places.map(({ size }) => {
      const error = answer.readInt32LE(at);
      at += 4;
      if (error !== 0) return null;
      at += size;
      return answer.subarray(at - size, at);
    });
  }

  /** 0 where the kernel's memory at an address can be read, else why not: an errno. */
  async peekError(address: bigint): Promise<number> {
    const request = Buffer.alloc(13);
    request[0] = 2;
    request.writeBigUInt64LE(BigInt.asUintN(64, address), 1);
    request.writeUInt32LE(8, 9);
    return (await this.request(request)).readInt32LE(0);
  }

  async bpf(command: number, attr: Uint8Array, buffers: readonly BpfBuffer[], then: number): Promise<BpfAnswer> {
    const head = Buffer.alloc(8);
    head[0] = 3;
    head[1] = then;
    head.writeUInt32LE(command, 2);
    head.writeUInt16LE(attr.length, 6);
    const parts: Uint8Array[] = [head, attr];
    for (const buffer of buffers) {
      const record = Buffer.alloc(7);
      record.writeUInt16LE(buffer.offset, 0);
      record[2] = buffer.in !== undefined ? 0 : buffer.out !== undefined ? 1 : 2;
      record.writeUInt32LE(buffer.in?.length ?? buffer.out ?? buffer.text ?? 0, 3);
      parts.push(record);
      if (buffer.in !== undefined) parts.push(buffer.in);
    }
    const answer = await this.request(Buffer.concat(parts));
    const result = answer.readInt32LE(0);
    let at = 4;
    const next = (): Uint8Array => {
      const size = answer.readUInt32LE(at);
      at += 4 + size;
      return answer.subarray(at - size, at);
    };
    const answered = buffers.filter((b) => b.in === undefined).map(next);
    const isDumped = result >= 0 && (then === THEN_DUMP || then === THEN_DUMP_ALL);
    const translated = isDumped ? next() : null;
    return {
      result,
      buffers: answered,
      translated,
      compiled: isDumped && then === THEN_DUMP_ALL ? compiled(next, this.order) : null,
    };
  }

  /** Closes a descriptor that was kept. */
  async close(descriptor: number): Promise<void> {
    const request = Buffer.alloc(5);
    request[0] = 4;
    request.writeUInt32LE(descriptor, 1);
    await this.request(request);
  }

  /** Loads from here on as a process of these capabilities (CAP_… of targets/capabilities.ts); all: as root. */
  async setCapabilities(capabilities: number): Promise<void> {
    let set = ~0n;
    if (capabilities !== cap.ALL_CAPABILITIES) {
      set = LINUX_NUMBERS.reduce(
        (bits, [ours, number]) => ((capabilities & ours) === 0 ? bits : bits | (1n << number)),
        0n,
      );
    }
    const request = Buffer.alloc(9);
    request[0] = 5;
    request.writeBigUInt64LE(BigInt.asUintN(64, set), 1);
    const error = (await this.request(request)).readInt32LE(0);
    if (error !== 0) throw new Error(`capabilities cannot be set: errno ${error}`);
  }

  /** Ends the conversation; a virtual machine then turns itself off. */
  end(): void {
    this.to.end();
  }

  private request(body: Buffer): Promise<Buffer> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.to.write(Buffer.concat([length, body]));
    });
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.have += chunk.length;
    while (this.have >= 4) {
      const length = this.peekLength();
      if (this.have < 4 + length) return;
      const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
      this.have -= 4 + length;
      this.chunks = this.have > 0 ? [all.subarray(4 + length)] : [];
      this.waiting.shift()?.resolve(all.subarray(4, 4 + length));
    }
  }

  private peekLength(): number {
    if (this.chunks[0]!.length < 4) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]!.readUInt32LE(0);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

function compiled(next: () => Uint8Array, order: ByteOrder): CompiledProgram {
  const code = next();
  const words = (bytes: Uint8Array): number[] => {
    const reader = new ByteReader(bytes, order);
    return Array.from({ length: bytes.length / 4 }, (_, i) => reader.u32(4 * i));
  };
  const addresses = new ByteReader(next(), order);
  return {
    code,
    addresses: Array.from({ length: addresses.length / 8 }, (_, i) => addresses.u64(8 * i)),
    lengths: words(next()),
    maps: words(next()),
  };
}
