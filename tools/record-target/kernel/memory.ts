import type { Agent } from '../machine/agent.js';

const PAGE_BITS = 12n;
const PAGE = 1 << Number(PAGE_BITS);

/** Memory that was asked for and is not here yet; `KernelMemory.settle` fetches it and tries again. */
class Missing extends Error {
  constructor(readonly page: number) {
    super(`kernel memory at ${(BigInt(page) << PAGE_BITS).toString(16)} is not readable`);
  }
}

/**
 * The recorded kernel's memory, page by page. Reads are synchronous; a page that is not here yet is fetched by running
 * the reader under `settle`.
 */
export class KernelMemory {
  private readonly pages = new Map<number, Buffer>();

  constructor(private readonly agent: Agent) {}

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
        if (data === null || data === undefined) throw error;
        this.pages.set(error.page, data);
      }
    }
  }

  u8(address: bigint): number {
    return this.page(address)[Number(address & 0xfffn)]!;
  }
  u16(address: bigint): number {
    const at = Number(address & 0xfffn);
    return at <= PAGE - 2 ? this.page(address).readUInt16LE(at) : Number(this.wide(address, 2));
  }
  u32(address: bigint): number {
    const at = Number(address & 0xfffn);
    return at <= PAGE - 4 ? this.page(address).readUInt32LE(at) : Number(this.wide(address, 4));
  }
  u64(address: bigint): bigint {
    const at = Number(address & 0xfffn);
    return at <= PAGE - 8 ? this.page(address).readBigUInt64LE(at) : this.wide(address, 8);
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
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.u8(address + BigInt(i)));
    return value;
  }

  private page(address: bigint): Buffer {
    const page = pageOf(address);
    const data = this.pages.get(page);
    if (data === undefined) throw new Missing(page);
    return data;
  }
}

function pageOf(address: bigint): number {
  return Number(BigInt.asUintN(64, address) >> PAGE_BITS);
}
