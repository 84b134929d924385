/** More than any kernel image takes. */
const MOST_IMAGE_BYTES = 256n << 20n;

/** /proc/kallsyms of the recorded kernel: names of the image (no modules, no compiled BPF) and their addresses. */
export class Symbols {
  private readonly byName = new Map<string, bigint>();
  /** The second address of names that several symbols share. */
  private readonly second = new Map<string, bigint>();
  private readonly byAddress = new Map<bigint, string[]>();
  private readonly sorted: bigint[];

  /** Lines of /proc/kallsyms or System.map; `slide` is added to every address. */
  constructor(kallsyms: string, slide: bigint) {
    for (const line of kallsyms.split('\n')) {
      const [address, , name] = line.split(' ');
      if (address === undefined || name === undefined || line.includes('\t')) continue;
      const at = BigInt(`0x${address}`) + slide;
      const first = this.byName.get(name);
      if (first === undefined)
        this.byName.set(name, at); // as the kernel looks names up: the first one
      else if (first !== at && !this.second.has(name)) this.second.set(name, at);
      const names = this.byAddress.get(at);
      if (names === undefined) this.byAddress.set(at, [name]);
      else names.push(name);
    }
    this.sorted = [...this.byAddress.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    if (this.address('_stext') === 0n) throw new Error('kallsyms hides addresses: root and kptr_restrict=0 are needed');
  }

  /** From the first to the last name of the image; names far from its text are no places in it. */
  get image(): [bigint, bigint] {
    const start = this.address('_stext');
    return [start, this.sorted.findLast((address) => address - start < MOST_IMAGE_BYTES) ?? start];
  }

  /** The address, or null where the kernel has no such symbol. */
  find(name: string): bigint | null {
    return this.byName.get(name) ?? null;
  }

  address(name: string): bigint {
    const at = this.byName.get(name);
    if (at === undefined) throw new Error(`the kernel has no symbol ${name}`);
    return at;
  }

  /** Every address that has the name: local symbols of several files may share one. */
  all(name: string): bigint[] {
    return this.sorted.filter((address) => this.names(address).includes(name));
  }

  /** Names at exactly this address. */
  names(address: bigint): readonly string[] {
    return this.byAddress.get(address) ?? [];
  }

  /** The name at this address, aliases of position-independent code (`__pi_…`) last; null where there is none. */
  name(address: bigint): string | null {
    const names = this.names(address);
    return names.find((n) => !n.startsWith('__pi_')) ?? names[0] ?? null;
  }

  /** The name of what an address lies in, for messages. */
  around(address: bigint): string {
    const start = this.sorted[this.above(address) - 1];
    return start === undefined ? address.toString(16) : (this.name(start) ?? '');
  }

  /** The first address above this one that has a name. */
  next(address: bigint): bigint {
    return this.sorted[this.above(address)] ?? address;
  }

  /** Index of the first address above this one. */
  private above(address: bigint): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  entries(): IterableIterator<[string, bigint]> {
    return this.byName.entries();
  }

  /** Names that several symbols share, with the second of their addresses. */
  seconds(): IterableIterator<[string, bigint]> {
    return this.second.entries();
  }
}
