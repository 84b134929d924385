import { LITTLE_ENDIAN, type ByteOrder } from '../../../src/compiler/bytes/byte-order.js';
import type { Agent } from '../machine/agent.js';

const PAGE_BITS = 12n;
const PAGE = 1 << Number(PAGE_BITS);

/** Memory that the kernel does not show. */
export class Unreadable extends Error {}

/** Memory that was asked for and is not here yet; `KernelMemory.settle` fetches it and tries again. */
class Missing extends Error {
  constructor(readonly page: number) {
    super(`page ${page.toString(16)} of kernel memory is not here yet`);
  }
}

/**
 * The recorded kernel's memory, page by page. Reads are synchronous; a page that is not here yet is fetched by running
 * the reader under `settle`.
 */
export class KernelMemory {
  private readonly pages = new Map<number, Buffer>();
  private readonly unreadable = new Set<number>();

  private readonly order: ByteOrder;
  private readonly little: boolean;

  constructor(private readonly agent: Agent) {
    this.order = agent.order;
    this.little = agent.order === LITTLE_ENDIAN;
  }

  /** Fetches a range ahead, as far as it is readable. */
  async load(start: bigint, end: bigint): Promise<void> {
    const step = 1 << 20;
    const places = [];
    for (let address = start & ~0xfffn; address < end; address += BigInt(step)) places.push({ address, size: step });
    for (let i = 0; i < places.length; i += 8) {
      const some = places.slice(i, i + 8);
      const read = await this.agent.peek(some);
      read.forEach((data, k) => {
        if (data === null) return;
        const first = pageOf(some[k]!.address);
        for (let p = 0; p * PAGE < data.length; p++) this.pages.set(first + p, data.subarray(p * PAGE, (p + 1) * PAGE));
      });
    }
  }

  /** Runs a reader, fetching what it misses, until it gets through. It must have no effects of its own. */
  async settle<T>(reader: () => T): Promise<T> {
    for (;;) {
      try {
        return reader();
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        const address = BigInt(error.page) << PAGE_BITS;
        const data = (await this.agent.peek([{ address, size: PAGE }]))[0];
        if (data) this.pages.set(error.page, data);
        else this.unreadable.add(error.page); // which the reader is told when it tries again
      }
    }
  }

  u8(address: bigint): number {
    return this.page(address)[Number(address & 0xfffn)]!;
  }
  u16(address: bigint): number {
    const at = Number(address & 0xfffn);
    if (at > PAGE - 2) return Number(this.wide(address, 2));
    const page = this.page(address);
    return this.little ? page.readUInt16LE(at) : page.readUInt16BE(at);
  }
  u32(address: bigint): number {
    const at = Number(address & 0xfffn);
    if (at > PAGE - 4) return Number(this.wide(address, 4));
    const page = this.page(address);
    return this.little ? page.readUInt32LE(at) : page.readUInt32BE(at);
  }
  u64(address: bigint): bigint {
    const at = Number(address & 0xfffn);
    if (at > PAGE - 8) return this.wide(address, 8);
    const page = this.page(address);
    return this.little ? page.readBigUInt64LE(at) : page.readBigUInt64BE(at);
  }
  bytes(address: bigint, size: number): Buffer {
    const out = Buffer.alloc(size);
    for (let i = 0; i < size; i++) out[i] = this.u8(address + BigInt(i));
    return out;
  }
  /** A NUL-terminated string. */
  text(address: bigint): string {
    let text = '';
    for (let c = this.u8(address); c !== 0; c = this.u8(++address)) text += String.fromCharCode(c);
    return text;
  }

  private wide(address: bigint, size: number): bigint {
    let value = 0n;
    for (let i = 0; i < size; i++) {
      value |= BigInt(this.u8(address + BigInt(i))) << BigInt(this.order.bitsBelow(i, 1, size));
    }
    return value;
  }

  private page(address: bigint): Buffer {
    const page = pageOf(address);
    const data = this.pages.get(page);
    if (data !== undefined) return data;
    if (this.unreadable.has(page)) throw new Unreadable(`kernel memory at ${address.toString(16)} is not readable`);
    throw new Missing(page);
  }
}

function pageOf(address: bigint): number {
  return Number(BigInt.asUintN(64, address) >> PAGE_BITS);
}
