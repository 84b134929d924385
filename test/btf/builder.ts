/** Builds BTF blobs word by word, good ones and bad ones. */

/** The first word of a header: magic, version 1, no flags. */
const MAGIC_VERSION = 0x0001_eb9f;

export class BtfBuilder {
  private readonly words: number[] = [];
  private strings = '\0';
  private count = 0;

  /** Id of the type that `add` makes next. */
  get nextId(): number {
    return this.count + 1;
  }

  /** Offset of a string. */
  string(text: string): number {
    if (text === '') return 0;
    const at = this.strings.length;
    this.strings += `${text}\0`;
    return at;
  }

  /** Adds a type and answers its id; `extra` are the words behind its record. */
  add(kind: number, name: string | number, sizeOrType: number, extra: readonly number[] = [], info = 0): number {
    const nameOff = typeof name === 'number' ? name : this.string(name);
    this.words.push(nameOff, ((kind << 24) | info) >>> 0, sizeOrType, ...extra);
    return ++this.count;
  }

  int(name: string, size: number, encoding = 0, bits = size * 8): number {
    return this.add(1, name, size, [(encoding << 24) | bits]);
  }
  pointer(to: number): number {
    return this.add(2, '', to);
  }
  array(of: number, index: number, count: number): number {
    return this.add(3, '', 0, [of, index, count]);
  }
  /** Members: name, type, offset in bits. */
  struct(name: string, size: number, members: readonly (readonly [string, number, number])[], kind = 4): number {
    const extra = members.flatMap(([member, type, offset]) => [this.string(member), type, offset]);
    return this.add(kind, name, size, extra, members.length);
  }
  enumeration(name: string, size: number, values: readonly (readonly [string, number])[]): number {
    return this.add(
      6,
      name,
      size,
      values.flatMap(([value, n]) => [this.string(value), n >>> 0]),
      values.length,
    );
  }
  typedef(name: string, of: number): number {
    return this.add(8, name, of);
  }
  prototype(result: number, parameters: readonly (readonly [string, number])[]): number {
    const extra = parameters.flatMap(([name, type]) => [this.string(name), type]);
    return this.add(13, '', result, extra, parameters.length);
  }
  func(name: string, prototype: number, linkage = 1): number {
    return this.add(12, name, prototype, [], linkage);
  }
  variable(name: string, type: number, linkage = 1): number {
    return this.add(14, name, type, [linkage]);
  }
  /** Variables: id, offset, size. */
  section(name: string, size: number, variables: readonly (readonly [number, number, number])[]): number {
    return this.add(15, name, size, variables.flat(), variables.length);
  }

  build(): Uint8Array {
    const types = this.words.length * 4;
    const out = new Uint8Array(24 + types + this.strings.length);
    const view = new DataView(out.buffer);
    const header = [MAGIC_VERSION, 24, 0, types, types, this.strings.length];
    [...header, ...this.words].forEach((word, i) => view.setUint32(i * 4, word >>> 0, true));
    for (let i = 0; i < this.strings.length; i++) out[24 + types + i] = this.strings.charCodeAt(i);
    return out;
  }
}
