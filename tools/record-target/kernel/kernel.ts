import { readBtf } from '../../../src/compiler/btf/read.js';
import type { Btf } from '../../../src/compiler/btf/btf.js';
import * as kinds from '../../../src/compiler/btf/kinds.js';
import type { RecordedArchitecture } from '../architectures/architecture.js';
import type { Agent } from '../machine/agent.js';
import { KernelMemory } from './memory.js';
import { Symbols } from './symbols.js';

/** Where a member lies in its structure. */
export interface Member {
  readonly offset: number;
  readonly size: number;
  /** For bit-fields: lowest bit, counted from the member's lowest, and number of bits; else 0 and 0. */
  readonly bit: number;
  readonly bits: number;
  readonly type: number;
}

/** The recorded kernel: its memory, its types and its names. */
export class Kernel {
  private constructor(
    readonly architecture: RecordedArchitecture,
    readonly agent: Agent,
    readonly memory: KernelMemory,
    readonly symbols: Symbols,
    readonly btf: Btf,
    readonly btfBytes: Uint8Array,
  ) {}

  /** `systemMap`: all names of this very kernel as linked, where its own list has only functions. */
  static async open(architecture: RecordedArchitecture, agent: Agent, systemMap: string | null): Promise<Kernel> {
    const [kallsyms, btfBytes] = await Promise.all([
      needed(agent, '/proc/kallsyms'),
      needed(agent, '/sys/kernel/btf/vmlinux'),
    ]);
    const btf = readBtf(btfBytes, null, 'vmlinux');
    if (!btf.ok) throw new Error(`vmlinux BTF: ${btf.failure.message}`);
    const listed = new Symbols(kallsyms.toString('latin1'), 0n);
    const symbols = systemMap === null ? listed : atRuntime(systemMap, listed);
    return new Kernel(architecture, agent, new KernelMemory(agent), symbols, btf.value, btfBytes);
  }

  /** Takes a picture of the kernel's image, text and data, as it is now. */
  async photograph(): Promise<void> {
    const [start, end] = this.symbols.image;
    await this.memory.load(start, end);
  }

  /**
   * How far from where it lies without KASLR the kernel runs: its crash notes tell, KERNELOFFSET. Null where it has none
   * (CONFIG_VMCORE_INFO). A kernel that was told not to move lies where each such boot finds it, though not always where it was linked.
   */
  async loadOffset(): Promise<bigint | null> {
    const commandLine = ((await this.agent.file('/proc/cmdline')) ?? '').toString();
    if (/(?:^|\s)nokaslr(?:\s|$)/.test(commandLine)) return 0n;
    const data = this.symbols.find('vmcoreinfo_data');
    const size = this.symbols.find('vmcoreinfo_size');
    if (data === null || size === null) return null;
    const notes = await this.memory.settle(() =>
      this.memory.bytes(this.memory.u64(data), Number(this.memory.u64(size) & 0xffffn)),
    );
    const offset = /^KERNELOFFSET=([0-9a-f]+)$/m.exec(notes.toString('latin1'))?.[1];
    return offset === undefined ? null : BigInt(`0x${offset}`);
  }

  /** A member by path (`aux.attach_btf_id` follows no pointers, only nested structures), or null. */
  findMember(type: string | number, path: string): Member | null {
    let id = typeof type === 'number' ? type : this.btf.find(type, kinds.KIND_STRUCT);
    if (id === 0) return null;
    let found: Member = { offset: 0, size: 0, bit: 0, bits: 0, type: id };
    for (const name of path.split('.')) {
      const inner = this.memberOf(this.btf.skipModifiers(id), name);
      if (inner === null) return null;
      found = { ...inner, offset: found.offset + inner.offset };
      id = inner.type;
    }
    return found;
  }

  member(type: string | number, path: string): Member {
    const member = this.findMember(type, path);
    if (member === null) throw new Error(`the kernel's struct ${type} has no member ${path}`);
    return member;
  }

  /** Value of an integer, enumeration or pointer member of a structure in memory. */
  read(address: bigint, type: string | number, path: string): bigint {
    const { offset, size, bit, bits } = this.member(type, path);
    const at = address + BigInt(offset);
    const value =
      size === 1
        ? BigInt(this.memory.u8(at))
        : size === 2
          ? BigInt(this.memory.u16(at))
          : size === 4
            ? BigInt(this.memory.u32(at))
            : this.memory.u64(at);
    return bits === 0 ? value : (value >> BigInt(bit)) & ((1n << BigInt(bits)) - 1n);
  }

  sizeOf(type: string): number {
    const id = this.btf.find(type, kinds.KIND_STRUCT);
    if (id === 0) throw new Error(`the kernel has no struct ${type}`);
    return this.btf.sizeOrType(id);
  }

  /** Enumerators of an enumeration, or of the anonymous one that has an enumerator of the name `having`. */
  enumerators(name: string, having?: string): Map<string, number> {
    const { btf } = this;
    for (const id of name === '' ? this.anonymousEnums() : btf.withName(name)) {
      if (btf.kind(id) !== kinds.KIND_ENUM && btf.kind(id) !== kinds.KIND_ENUM64) continue;
      const values = new Map<string, number>();
      for (let i = 0; i < btf.vlen(id); i++) values.set(btf.enumName(id, i), btf.enumValueLo(id, i));
      if (having === undefined || values.has(having)) return values;
    }
    return new Map();
  }

  /** Where the kernel has its struct btf_type of a type. */
  typeAddress(id: number): bigint {
    const btf = this.memory.u64(this.symbols.address('btf_vmlinux'));
    return this.memory.u64(this.read(btf, 'btf', 'types') + 8n * BigInt(id));
  }

  /** Bytes that a value of the type takes. */
  typeSize(id: number): number {
    const { btf } = this;
    id = btf.skipModifiers(id);
    switch (btf.kind(id)) {
      case kinds.KIND_PTR:
        return 8;
      case kinds.KIND_ARRAY:
        return btf.arrayCount(id) * this.typeSize(btf.arrayElem(id));
      default:
        return btf.sizeOrType(id);
    }
  }

  private *anonymousEnums(): Iterable<number> {
    for (let id = 1; id < this.btf.typeCount; id++) {
      if (this.btf.kind(id) === kinds.KIND_ENUM && this.btf.nameOff(id) === 0) yield id;
    }
  }

  private memberOf(id: number, name: string): Member | null {
    const { btf } = this;
    const kind = btf.kind(id);
    if (kind !== kinds.KIND_STRUCT && kind !== kinds.KIND_UNION) return null;
    for (let i = 0; i < btf.vlen(id); i++) {
      const type = btf.memberType(id, i);
      const bitOffset = btf.memberBitOffset(id, i);
      if (btf.memberName(id, i) === name) return this.place(type, bitOffset, btf.memberBitfieldSize(id, i));
      if (btf.memberNameOff(id, i) !== 0) continue;
      const inner = this.memberOf(btf.skipModifiers(type), name);
      if (inner !== null) return { ...inner, offset: inner.offset + (bitOffset >> 3) };
    }
    return null;
  }

  private place(type: number, bitOffset: number, bits: number): Member {
    const size = this.typeSize(type);
    if (bits === 0) return { offset: bitOffset >> 3, size, bit: 0, bits: 0, type };
    const offset = Math.floor(bitOffset / (8 * size)) * size;
    const above = this.architecture.byteOrder.bitsAbove(bitOffset - 8 * offset, bits, size);
    return { offset, size, bit: 8 * size - above - bits, bits, type };
  }
}

/** The names of System.map where the running kernel has them: KASLR moves all by the same distance. */
function atRuntime(systemMap: string, listed: Symbols): Symbols {
  const linked = new Symbols(systemMap, 0n);
  return new Symbols(systemMap, listed.address('_stext') - linked.address('_stext'));
}

async function needed(agent: Agent, path: string): Promise<Buffer> {
  const data = await agent.file(path);
  if (data === null) throw new Error(`the machine has no readable ${path}`);
  return data;
}
