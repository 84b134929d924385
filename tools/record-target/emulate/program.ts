import { KIND_FUNC } from '../../../src/compiler/btf/kinds.js';
import * as cap from '../../../src/compiler/targets/capabilities.js';
import type { Kernel } from '../kernel/kernel.js';
import { LINUX_NUMBERS } from '../machine/agent.js';
import { Trap, type Processor, type Substitute } from './processor.js';

export { SCRATCH } from './processor.js';

/** Memory that the kernel's functions are handed: a program under verification, and room for what they answer. */
const PROGRAM = 0x5000_0000_0000n;
const AUX = PROGRAM + 0x1000n;
const WATCHED = 0x2000;

/** What kinds of programs differ in, as far as the kernel's tables may ask. */
export interface ProgramKind {
  readonly type: number;
  readonly attachType: number;
  readonly sleepable: boolean;
  readonly attachBtfId: number;
  /** Attached to another BPF program. */
  readonly toProgram?: boolean;
}

/** Which of these the kernel looked at while it answered. */
export interface Looked {
  attachType: boolean;
  sleepable: boolean;
  attachBtfId: boolean;
  /** Capabilities of the loading process (CAP_… of targets/capabilities.ts). */
  capabilities: number;
}

/** By Linux's number. */
const CAPABILITY: ReadonlyMap<bigint, number> = new Map(LINUX_NUMBERS.map(([ours, number]) => [number, ours]));

/** What a mark in place of the program's first instruction looks like. */
export const FIRST_INSTRUCTION = 0x1122_3344_5566_7788n;

/** Calls the kernel's functions with a program of our making. */
export class ProgramEmulator {
  readonly cpu: Processor;
  /** Stands for btf_ctx_access: whether the argument at that offset of a BTF-typed context may be read. */
  btfContext: () => boolean = () => true;
  btfContextAsked = false;
  readonly looked: Looked = { attachType: false, sleepable: false, attachBtfId: false, capabilities: 0 };
  /** What the process may do that loads the program. */
  private capabilities = cap.ALL_CAPABILITIES;
  private readonly at: Record<'type' | 'attachType' | 'sleepable' | 'aux' | 'attachBtfId' | 'insns', number>;
  private readonly attachBtf: number;
  private readonly attachProto: number;
  private readonly attachProgram: number;
  private readonly sleepableBit: number;

  constructor(readonly kernel: Kernel) {
    const sleepable = kernel.findMember('bpf_prog', 'sleepable') ?? kernel.member('bpf_prog_aux', 'sleepable');
    const inAux = kernel.findMember('bpf_prog', 'sleepable') === null;
    this.sleepableBit = sleepable.bits === 0 ? 0 : sleepable.bit;
    const order = kernel.architecture.byteOrder;
    const sleepableByte = Math.abs(order.lowPart(1, sleepable.size) - (this.sleepableBit >> 3));
    this.at = {
      type: kernel.member('bpf_prog', 'type').offset,
      attachType: kernel.member('bpf_prog', 'expected_attach_type').offset,
      sleepable: sleepable.offset + sleepableByte + (inAux ? Number(AUX - PROGRAM) : 0),
      aux: kernel.member('bpf_prog', 'aux').offset,
      attachBtfId: Number(AUX - PROGRAM) + kernel.member('bpf_prog_aux', 'attach_btf_id').offset,
      insns: kernel.member('bpf_prog', 'insnsi').offset,
    };
    this.attachBtf = Number(AUX - PROGRAM) + kernel.member('bpf_prog_aux', 'attach_btf').offset;
    this.attachProto = Number(AUX - PROGRAM) + kernel.member('bpf_prog_aux', 'attach_func_proto').offset;
    this.attachProgram = Number(AUX - PROGRAM) + kernel.member('bpf_prog_aux', 'dst_prog').offset;
    const { architecture, memory } = kernel;
    this.cpu = architecture.processor({
      memory,
      order: architecture.byteOrder,
      substitutes: this.substitutes(),
      addressBits: architecture.addressBits(kernel),
      isKernelAddress: (value) => architecture.isKernelAddress(value),
      symbol: (name) => kernel.symbols.find(name),
    });
    this.cpu.watchStart = PROGRAM;
    this.cpu.watchSize = WATCHED;
  }

  /** The program as the functions see it; forgets what earlier calls wrote. */
  prepare(kind: ProgramKind): void {
    const { cpu } = this;
    cpu.reset();
    cpu.store(PROGRAM + BigInt(this.at.type), 4, BigInt(kind.type));
    cpu.store(PROGRAM + BigInt(this.at.attachType), 4, BigInt(kind.attachType));
    cpu.store(PROGRAM + BigInt(this.at.sleepable), 1, kind.sleepable ? 1n << BigInt(this.sleepableBit & 7) : 0n);
    cpu.store(PROGRAM + BigInt(this.at.aux), 8, AUX);
    cpu.store(PROGRAM + BigInt(this.at.attachBtfId), 4, BigInt(kind.attachBtfId));
    cpu.store(PROGRAM + BigInt(this.attachBtf), 8, this.kernel.memory.u64(this.kernel.symbols.address('btf_vmlinux')));
    cpu.store(PROGRAM + BigInt(this.attachProto), 8, this.prototypeAddress(kind.attachBtfId));
    cpu.store(PROGRAM + BigInt(this.attachProgram), 8, kind.toProgram === true ? PROGRAM : 0n);
    cpu.storeInstruction(PROGRAM + BigInt(this.at.insns), FIRST_INSTRUCTION);
  }

  /** Where the kernel has the prototype of the function that a program is attached to; 0 for anything else. */
  private prototypeAddress(id: number): bigint {
    const { btf } = this.kernel;
    return id !== 0 && btf.kind(id) === KIND_FUNC ? this.kernel.typeAddress(btf.sizeOrType(id)) : 0n;
  }

  get program(): bigint {
    return PROGRAM;
  }

  /** Runs a kernel function on the prepared program; `setup` writes its other arguments to memory first. */
  async run(kind: ProgramKind, setup: (cpu: Processor) => void, address: bigint, args: bigint[]): Promise<bigint> {
    try {
      const answer = await this.kernel.memory.settle(() => {
        this.prepare(kind);
        setup(this.cpu);
        this.btfContextAsked = false;
        return this.cpu.call(address, args);
      });
      this.note();
      return answer;
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      const path = this.cpu.callers().map((at) => this.kernel.symbols.around(at));
      throw new Error(
        `${this.kernel.symbols.around(address)} ${JSON.stringify(kind)}: ${error.message} in ${path.join(' ← ')}`,
      );
    }
  }

  /** Bits of the program that the last call changed, as bytes by offset: the kernel's notes for later. */
  notes(kind: ProgramKind): Map<number, number> {
    const changed = new Map<number, number>();
    const after = new Map(this.cpu.written);
    this.prepare(kind);
    for (const [address, value] of after) {
      const offset = Number(address - PROGRAM);
      if (offset < 0 || offset >= WATCHED) continue;
      const before = this.cpu.written.get(address) ?? 0;
      if (value !== before) changed.set(offset, value);
    }
    return changed;
  }

  writeNotes(notes: ReadonlyMap<number, number>): void {
    for (const [offset, value] of notes) this.cpu.store(PROGRAM + BigInt(offset), 1, BigInt(value));
  }

  private note(): void {
    const { watched } = this.cpu;
    if (watched.has(this.at.attachType)) this.looked.attachType = true;
    if (watched.has(this.at.sleepable)) this.looked.sleepable = true;
    if (watched.has(this.at.attachBtfId)) this.looked.attachBtfId = true;
  }

  forget(): void {
    this.looked.attachType = this.looked.sleepable = this.looked.attachBtfId = false;
    this.looked.capabilities = 0;
  }

  /** Runs what `run` asks as for a process of these capabilities. */
  async withCapabilities<T>(capabilities: number, run: () => Promise<T>): Promise<T> {
    this.capabilities = capabilities;
    try {
      return await run();
    } finally {
      this.capabilities = cap.ALL_CAPABILITIES;
    }
  }

  private isCapable(number: bigint): bigint {
    const wanted = CAPABILITY.get(number & 0xffff_ffffn);
    if (wanted === undefined) throw new Error(`the kernel asks for capability ${number}, which is none of bpf(2)'s`);
    this.looked.capabilities |= wanted;
    return cap.isCapable(this.capabilities, wanted) ? 1n : 0n;
  }

  /** Functions that would leave the pure part of the kernel: locks are open, logs go nowhere. */
  private substitutes(): Map<bigint, Substitute> {
    const all: Record<string, Substitute> = {
      capable: (cpu) => this.isCapable(cpu.argument(0)),
      ns_capable: (cpu) => this.isCapable(cpu.argument(1)),
      bpf_token_capable: (cpu) => this.isCapable(cpu.argument(1)),
      mutex_lock: () => 0n,
      mutex_unlock: () => 0n,
      bpf_log: () => 0n,
      bpf_verifier_log_write: () => 0n,
      verbose: () => 0n,
      _printk: () => 0n,
      ___ratelimit: () => 0n,
      // Whoever asks for trace_printk gets its buffers made and its event turned on.
      trace_printk_init_buffers: () => 0n,
      __set_printk_clr_event: () => 0n,
      queue_work_on: () => 0n,
      trace_set_clr_event: () => 0n,
      security_locked_down: () => 0n,
      memset: (cpu) => {
        const [to, value, size] = [cpu.argument(0), cpu.argument(1) & 0xffn, Number(cpu.argument(2))];
        for (let i = 0; i < size; i++) cpu.store(to + BigInt(i), 1, value);
        return to;
      },
      memcpy: (cpu) => {
        const [to, from, size] = [cpu.argument(0), cpu.argument(1), Number(cpu.argument(2))];
        for (let i = 0; i < size; i++) cpu.store(to + BigInt(i), 1, cpu.load(from + BigInt(i), 1));
        return to;
      },
      // A walk over all types; our own index answers at once.
      btf_find_by_name_kind: (cpu) => {
        const id = this.kernel.btf.find(this.kernel.memory.text(cpu.argument(1)), Number(cpu.argument(2) & 0xffn));
        return BigInt(id === 0 ? -2 : id);
      },
      btf_ctx_access: () => {
        this.btfContextAsked = true;
        return this.btfContext() ? 1n : 0n;
      },
    };
    const table = new Map<bigint, Substitute>();
    for (const [name, substitute] of Object.entries(all)) {
      for (const alias of [name, `__pi_${name}`, `__${name}`]) {
        const at = this.kernel.symbols.find(alias);
        if (at !== null && (alias === name || name.startsWith('mem'))) table.set(at, substitute);
      }
    }
    return table;
  }
}
