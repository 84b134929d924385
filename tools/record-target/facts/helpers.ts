import type { ProgramEmulator, ProgramKind } from '../emulate/program.js';
import type { Kernel } from '../kernel/kernel.js';
import type { HelperData, HelperVariant, ProtoRecord } from '../../../src/compiler/targets/data.js';
import * as types from '../../../src/compiler/targets/types.js';
import { recordAllowed } from './attach-points.js';
import { neededFor } from './needs.js';
import type { Operations } from './operations.js';
import { recordPacketChangers } from './packets.js';
import type { Vocabulary } from './vocabulary.js';

/** Every helper's name, every prototype, and which of them each kind of program is given (get_func_proto). */
export async function recordHelpers(
  kernel: Kernel,
  emulator: ProgramEmulator,
  vocabulary: Vocabulary,
  operations: readonly Operations[],
  candidates: readonly number[],
  hooks: readonly number[],
): Promise<HelperData> {
  const names: (string | null)[] = [];
  for (const [name, id] of kernel.enumerators('bpf_func_id')) {
    if (name !== '__BPF_FUNC_MAX_ID') names[id] = name.replace('BPF_FUNC_', '');
  }
  const recorder = new HelperRecorder(kernel, emulator, vocabulary, names.length, candidates);
  const variants: HelperVariant[] = [];
  for (const ops of operations) variants.push(...(await recorder.variants(ops)));
  const packetChangers = await recordPacketChangers(emulator, recorder.known, variants);
  const protos = await withAttachPoints(emulator, recorder, variants, hooks);
  return { names, protos, variants, packetChangers };
}

class HelperRecorder {
  readonly protos: ProtoRecord[] = [];
  /** Index into `protos` by the prototype's address. */
  readonly known = new Map<bigint, number>();
  private readonly attachTypes: number;
  /** Helpers of the type at hand for which the kernel asks what the process may do, and what it asks for. */
  private readonly guarded = new Map<number, number>();

  constructor(
    private readonly kernel: Kernel,
    private readonly emulator: ProgramEmulator,
    private readonly vocabulary: Vocabulary,
    private readonly helperCount: number,
    private readonly candidates: readonly number[],
  ) {
    this.attachTypes = kernel.enumerators('bpf_attach_type').get('__MAX_BPF_ATTACH_TYPE') ?? 64;
  }

  /** The answers for one program type (one structure, for struct_ops), split by whatever they depend on. */
  async variants(ops: Operations): Promise<HelperVariant[]> {
    if (ops.getFuncProto === 0n) return [];
    const base: ProgramKind = { type: ops.type, attachType: 0, sleepable: false, attachBtfId: ops.attachBtfId };
    const plain: number[] = [];
    this.guarded.clear();
    const open: number[] = [];
    const dependsOn = { attachType: false, sleepable: false, attachBtfId: false };
    for (let id = 0; id < this.helperCount; id++) {
      // What one attach type does not look at, another may: ask both extremes before believing it.
      this.emulator.forget();
      for (let attachType = 0; attachType < this.attachTypes; attachType++) {
        for (const sleepable of [false, true]) {
          plain[id] = await this.ask(ops, { ...base, attachType, sleepable }, id);
          if (!this.emulator.looked.attachType && !this.emulator.looked.sleepable) break;
        }
        if (!this.emulator.looked.attachType) break;
      }
      const { attachType, sleepable, attachBtfId, capabilities } = this.emulator.looked;
      if (capabilities !== 0) this.guarded.set(id, capabilities);
      dependsOn.attachType ||= attachType;
      dependsOn.sleepable ||= sleepable;
      dependsOn.attachBtfId ||= attachBtfId && ops.attachBtfId === 0;
      if (attachType || sleepable || attachBtfId) open.push(id);
    }
    const found: HelperVariant[] = [];
    const seen = new Map<string, { attachTypes: number[]; all: HelperVariant[] }>();
    for (let attachType = 0; attachType < (dependsOn.attachType ? this.attachTypes : 1); attachType++) {
      const all: HelperVariant[] = [];
      for (const sleepable of dependsOn.sleepable ? [false, true] : [false]) {
        const kind = { ...base, attachType, sleepable };
        const answer = [...plain];
        const byPlace: number[] = []; // helpers for which, in this kind of program, the attach point counts
        for (const id of open) {
          this.emulator.forget();
          answer[id] = await this.ask(ops, kind, id);
          if (this.emulator.looked.attachBtfId) byPlace.push(id);
        }
        const fallback = answer.join();
        const byAnswer = new Map<string, { ids: number[]; answer: number[] }>();
        for (const attachBtfId of dependsOn.attachBtfId && byPlace.length > 0 ? this.candidates : []) {
          const special = await this.answers(ops, { ...kind, attachBtfId }, answer, byPlace);
          const key = special.join();
          if (key === fallback) continue;
          const group = byAnswer.get(key) ?? { ids: [], answer: special };
          group.ids.push(attachBtfId);
          byAnswer.set(key, group);
        }
        const when = dependsOn.sleepable ? sleepable : null;
        for (const { ids, answer: special } of byAnswer.values()) {
          const needs = await this.needs(ops, { ...kind, attachBtfId: ids[0]! }, special);
          const pattern = { type: ops.type, attachTypes: null, sleepable: when, attachBtfIds: ids };
          all.push({ ...pattern, helpers: pairs(special), ...needs });
        }
        const ids = ops.attachBtfId === 0 ? null : [ops.attachBtfId];
        const needs = await this.needs(ops, kind, answer);
        const pattern = { type: ops.type, attachTypes: null, sleepable: when, attachBtfIds: ids };
        all.push({ ...pattern, helpers: pairs(answer), ...needs });
      }
      const key = JSON.stringify(all);
      const same = seen.get(key) ?? { attachTypes: [], all };
      same.attachTypes.push(attachType);
      seen.set(key, same);
    }
    for (const { attachTypes, all } of seen.values()) {
      for (const variant of all) found.push({ ...variant, attachTypes: dependsOn.attachType ? attachTypes : null });
    }
    return found;
  }

  /** What the loading process must be capable of, for the helpers where the kernel asks. */
  private async needs(ops: Operations, kind: ProgramKind, answer: readonly number[]): Promise<{ needs?: number[] }> {
    const needs: number[] = [];
    for (const [id, asked] of this.guarded) {
      if (answer[id]! < 0) continue;
      const needed = await neededFor(this.emulator, asked, answer[id]!, () => this.ask(ops, kind, id));
      if (needed !== 0) needs.push(id, needed);
    }
    return needs.length === 0 ? {} : { needs };
  }

  private async answers(ops: Operations, kind: ProgramKind, plain: number[], open: number[]): Promise<number[]> {
    const answer = [...plain];
    for (const id of open) answer[id] = await this.ask(ops, kind, id);
    return answer;
  }

  private async ask(ops: Operations, kind: ProgramKind, id: number): Promise<number> {
    const proto = await this.emulator.run(kind, () => undefined, ops.getFuncProto, [BigInt(id), this.emulator.program]);
    if (proto === 0n) return -1;
    let index = this.known.get(proto);
    if (index === undefined) {
      index = this.protos.length;
      this.known.set(proto, index);
      this.protos.push(await this.kernel.memory.settle(() => this.decode(proto)));
    }
    return index;
  }

  /** Reads a struct bpf_func_proto. */
  private decode(proto: bigint): ProtoRecord {
    const { kernel } = this;
    const at = (path: string) => Number(kernel.read(proto, 'bpf_func_proto', path) & 0xffff_ffffn);
    const flag = (name: string) => kernel.findMember('bpf_func_proto', name) !== null && at(name) !== 0;
    const argTypes = [1, 2, 3, 4, 5].map((i) => this.vocabulary.argument(at(`arg${i}_type`)));
    const argValues = argTypes.map((type, i) => {
      const value = kernel.read(proto, 'bpf_func_proto', `arg${i + 1}_btf_id`);
      if (value === 0n) return 0;
      const isSize = (type & types.MEM_FIXED_SIZE) !== 0;
      return isSize ? Number(value) : this.typeBehind(value);
    });
    const ret = kernel.read(proto, 'bpf_func_proto', 'ret_btf_id');
    // tail_call has no implementation: the verifier makes an instruction of it.
    const symbol = kernel.symbols.name(kernel.read(proto, 'bpf_func_proto', 'func')) ?? '';
    return {
      proto: kernel.symbols.name(proto) ?? '',
      symbol,
      retType: this.vocabulary.result(at('ret_type')),
      retBtfId: ret === 0n ? 0 : this.typeBehind(ret),
      argTypes,
      argValues,
      gplOnly: flag('gpl_only'),
      pktAccess: flag('pkt_access'),
      mightSleep: flag('might_sleep'),
      allowFastcall: flag('allow_fastcall'),
      allowed: null,
    };
  }

  /** Prototypes name types by the address of the id; a poisoned address says that the call itself supplies it. */
  private typeBehind(address: bigint): number {
    return this.kernel.architecture.isKernelAddress(address) ? this.kernel.memory.u32(address) : 0;
  }
}

/** The prototypes, those that look at attach points with their rules. */
async function withAttachPoints(
  emulator: ProgramEmulator,
  { known, protos }: HelperRecorder,
  variants: readonly HelperVariant[],
  hooks: readonly number[],
): Promise<ProtoRecord[]> {
  const complete = [...protos];
  // Programs that replace a function of another are given that one's helpers, and stay of a type of their own.
  const extension = emulator.kernel.enumerators('bpf_prog_type').get('BPF_PROG_TYPE_EXT') ?? 0;
  for (const [address, index] of known) {
    const allowed = await recordAllowed(emulator, address, [...typesWith(index, variants), extension], hooks);
    complete[index] = { ...protos[index]!, allowed };
  }
  return complete;
}

/** Program types that are given a prototype. */
function typesWith(proto: number, variants: readonly HelperVariant[]): number[] {
  const types = variants.filter(({ helpers }) => helpers.some((value, i) => i % 2 === 1 && value === proto));
  return [...new Set(types.map(({ type }) => type))];
}

/** Helper number and prototype index, for the helpers that may be called. */
function pairs(answer: readonly number[]): number[] {
  return answer.flatMap((proto, id) => (proto < 0 ? [] : [id, proto]));
}
