import { ACCESS_READ, ACCESS_READ_SIGNED, ACCESS_WRITE, type AccessRow } from '../../../src/compiler/targets/data.js';
import * as types from '../../../src/compiler/targets/types.js';
import { SCRATCH, type ProgramEmulator, type ProgramKind } from '../emulate/program.js';
import type { Vocabulary } from './vocabulary.js';

/** enum bpf_access_type: BPF_READ, BPF_WRITE. */
const KERNEL_READ = 1n;
const KERNEL_WRITE = 2n;
const INFO = SCRATCH;

export interface Access {
  readonly mode: number;
  readonly size: number;
  readonly offset: number;
  readonly regType: number;
  readonly fieldSize: number;
  readonly btfId: number;
  /** What the kernel wrote into the program by the way: byte offset → value. */
  readonly notes: ReadonlyMap<number, number>;
}

/** How an is_valid_access-like function is called: its own argument list around struct bpf_insn_access_aux. */
export type AccessArguments = (offset: number, size: number, type: bigint, program: bigint, info: bigint) => bigint[];

/** Asks one is_valid_access of the kernel. */
export class AccessRecorder {
  private readonly regTypeAt: bigint;
  private readonly fieldSizeAt: bigint;
  private readonly btfIdAt: bigint;
  private readonly signedAt: bigint | null;
  private readonly infoSize: number;

  constructor(
    private readonly emulator: ProgramEmulator,
    private readonly vocabulary: Vocabulary,
  ) {
    const { kernel } = emulator;
    const at = (name: string) => INFO + BigInt(kernel.member('bpf_insn_access_aux', name).offset);
    this.regTypeAt = at('reg_type');
    this.fieldSizeAt = at('ctx_field_size');
    this.btfIdAt = at('btf_id');
    this.signedAt = kernel.findMember('bpf_insn_access_aux', 'is_ldsx') === null ? null : at('is_ldsx');
    this.infoSize = kernel.sizeOf('bpf_insn_access_aux');
  }

  get knowsSignedLoads(): boolean {
    return this.signedAt !== null;
  }

  async ask(
    check: bigint,
    kind: ProgramKind,
    mode: number,
    offset: number,
    size: number,
    args: AccessArguments,
  ): Promise<Access | null> {
    const { emulator } = this;
    const scalar = BigInt(types.SCALAR_VALUE);
    const answer = await emulator.run(
      kind,
      (cpu) => {
        cpu.clear(INFO, this.infoSize);
        cpu.store(this.regTypeAt, 4, scalar);
        if (mode === ACCESS_READ_SIGNED && this.signedAt !== null) cpu.store(this.signedAt, 1, 1n);
      },
      check,
      args(offset, size, mode === ACCESS_WRITE ? KERNEL_WRITE : KERNEL_READ, emulator.program, INFO),
    );
    if ((answer & 0xffn) === 0n) return null;
    const read = (at: bigint) => Number(emulator.cpu.load(at, 4));
    const regType = this.vocabulary.register(read(this.regTypeAt));
    const isBtf = (regType & types.BASE_MASK) === types.PTR_TO_BTF_ID;
    return {
      mode,
      size,
      offset,
      regType,
      fieldSize: isBtf ? 0 : read(this.fieldSizeAt),
      btfId: isBtf ? read(this.btfIdAt) : 0,
      notes: emulator.notes(kind),
    };
  }
}

/** All accesses a layout allows. `reach` is how far offsets are tried; BTF ids and notes are as the kernel answers. */
export async function allAccesses(
  recorder: AccessRecorder,
  check: bigint,
  kind: ProgramKind,
  reach: number,
  args: AccessArguments,
): Promise<Access[]> {
  const found: Access[] = [];
  for (const size of [1, 2, 4, 8]) {
    for (let offset = 0; offset < reach; offset++) {
      for (const mode of [ACCESS_READ, ACCESS_WRITE]) {
        const access = await recorder.ask(check, kind, mode, offset, size, args);
        if (access !== null) found.push(access);
        if (mode === ACCESS_WRITE || access === null || size === 8 || !recorder.knowsSignedLoads) continue;
        const signed = await recorder.ask(check, kind, ACCESS_READ_SIGNED, offset, size, args);
        if (signed !== null) found.push(signed);
      }
    }
  }
  return found;
}

/** Accesses as rows: equal neighbours at equal distances become one. `noteBit` numbers what is noted of an access. */
export function accessRows(accesses: readonly Access[], noteBit: (access: Access) => number): AccessRow[] {
  const groups = new Map<string, { access: Access; note: number; offsets: number[] }>();
  for (const access of accesses) {
    const note = noteBit(access);
    const key = [access.mode, access.size, access.regType, access.fieldSize, access.btfId, note].join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { access, note, offsets: [access.offset] });
    else group.offsets.push(access.offset);
  }
  const rows: AccessRow[] = [];
  for (const { access: a, note, offsets } of groups.values()) {
    for (let i = 0; i < offsets.length;) {
      const first = offsets[i]!;
      const step = i + 1 < offsets.length ? offsets[i + 1]! - first : 1;
      let end = i + 1;
      while (end < offsets.length && offsets[end]! - offsets[end - 1]! === step) end++;
      const alone = end === i + 2; // two are no pattern: the next may start one with the second
      if (alone) end = i + 1;
      rows.push([a.mode, a.size, first, offsets[end - 1]!, alone ? 1 : step, a.regType, a.fieldSize, a.btfId, note]);
      i = end;
    }
  }
  return rows;
}
