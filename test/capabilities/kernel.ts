/** Puts programs to a live kernel as a process of certain capabilities would: through the agent of tools/record-target. */
import { LD_IMM64 } from '../../src/compiler/isa/opcodes.js';
import { Instructions } from '../../src/compiler/isa/instructions.js';
import { ALL_CAPABILITIES } from '../../src/compiler/targets/capabilities.js';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PROG_ARRAY } from '../../src/compiler/targets/uapi.js';
import { THEN_DUMP_ALL, THEN_KEEP, type Agent } from '../../tools/record-target/machine/agent.js';
import type { CaseMap } from '../verify/cases.js';

const BPF_MAP_CREATE = 0;
const BPF_MAP_LOOKUP_ELEM = 1;
const BPF_PROG_LOAD = 5;
const BPF_PROG_TEST_RUN = 10;
const ATTR_BYTES = 120;
const LOG_BYTES = 1 << 20;
/** Instructions, states, statistics. */
export const LOG_LEVEL = 2 | 4;

export interface Question {
  /** CAP_… of targets/capabilities.ts. */
  readonly capabilities: number;
  readonly type: number;
  readonly attachType: number;
  readonly flags: number;
  readonly license: string;
  readonly maps: readonly CaseMap[];
  /** LD_IMM64 of source 1 and 2 carries an index into `maps`. */
  readonly instructions: Instructions;
}

export interface KernelMap {
  readonly descriptor: number;
  readonly id: number;
  /** Hexadecimal. */
  readonly address: string;
  readonly valueAddress: string;
}

export interface KernelAnswer {
  /** 0, or a negative errno: of BPF_PROG_LOAD, or of the first map that could not be made. */
  readonly errno: number;
  readonly log: string;
  /** Hexadecimal; maps by their index in the question. */
  readonly translated: string;
  readonly functions: readonly { readonly address: string; readonly code: string }[];
  readonly maps: readonly { readonly address: string; readonly valueAddress: string }[];
}

/** Program type and attach type of those that use an array of programs. */
type Owner = readonly [type: number, attachType: number];

/** One conversation. Maps are made once for each kind and set of capabilities, and kept. */
export class LiveKernel {
  private readonly maps = new Map<string, Promise<KernelMap | number>>();
  private box: Promise<number> | null = null;
  private lastAddress: Promise<unknown> = Promise.resolve();

  constructor(private readonly agent: Agent) {}

  async ask(question: Question): Promise<KernelAnswer> {
    const maps: KernelMap[] = [];
    // A map for each place: the verifier tells maps apart.
    for (const [i, map] of question.maps.entries()) {
      const made = await this.map(map, i, question);
      if (typeof made === 'number') return { errno: made, log: '', translated: '', functions: [], maps: [] };
      maps.push(made);
    }
    return this.load(question, maps);
  }

  private map(map: CaseMap, place: number, question: Question): Promise<KernelMap | number> {
    const { capabilities, type, attachType } = question;
    // An array of programs belongs to the kind of program that names it first.
    const owner: Owner = map.type === BPF_MAP_TYPE_PROG_ARRAY ? [type, attachType] : [1, 0];
    const key = JSON.stringify([map, place, capabilities, owner]);
    let made = this.maps.get(key);
    if (made === undefined) {
      made = this.createMap(map, `m${place}`, capabilities, owner);
      this.maps.set(key, made);
    }
    return made;
  }

  private async createMap(map: CaseMap, name: string, capabilities: number, owner: Owner): Promise<KernelMap | number> {
    const attr = Buffer.alloc(ATTR_BYTES);
    [map.type, map.key, map.value, map.entries, map.flags ?? 0].forEach((word, i) => attr.writeUInt32LE(word, 4 * i));
    attr.write(name, 28);
    if (map.inner !== undefined) {
      const inner = await this.createMap(map.inner, '', capabilities, owner);
      if (typeof inner === 'number') return inner;
      attr.writeUInt32LE(inner.descriptor, 20);
    }
    const [{ result }] = await this.as(capabilities, () => [this.agent.bpf(BPF_MAP_CREATE, attr, [], THEN_KEEP)]);
    if (result < 0) return result;
    return {
      descriptor: result,
      id: await this.idOf(result),
      address: await this.addressOf(result, false, owner),
      valueAddress: map.type === BPF_MAP_TYPE_ARRAY ? await this.addressOf(result, true, owner) : '0x0',
    };
  }

  private async idOf(descriptor: number): Promise<number> {
    const text = (await this.agent.file(`/proc/self/fdinfo/${descriptor}`))?.toString() ?? '';
    return Number(/^map_id:\s*(\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** The kernel's address of a map or of its values; one after the other, for there is one box. */
  private addressOf(descriptor: number, value: boolean, owner: Owner): Promise<string> {
    const address = this.lastAddress.then(() => this.readAddress(descriptor, value, owner));
    this.lastAddress = address;
    return address;
  }

  /** A program stores the pointer, and we read it back. */
  private async readAddress(descriptor: number, value: boolean, owner: Owner): Promise<string> {
    this.box ??= this.agent
      .bpf(BPF_MAP_CREATE, words([BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0]), [], THEN_KEEP)
      .then(({ result }) => result);
    const box = await this.box;
    const insns = Instructions.alloc(7);
    insns.set(0, LD_IMM64, 1, 2, 0, box);
    insns.set(2, LD_IMM64, 2, value ? 2 : 1, 0, descriptor);
    insns.set(4, 0x7b, 1, 2, 0, 0);
    insns.set(5, 0xb7, 0, 0, 0, 0);
    insns.set(6, 0x95, 0, 0, 0, 0);
    const { result } = await this.agent.bpf(BPF_PROG_LOAD, ...programOf(...owner, 0, 'GPL', insns), THEN_KEEP);
    if (result < 0) return '0x0';
    const run = words([result, 0, 64, 0]);
    await this.agent.bpf(BPF_PROG_TEST_RUN, run, [{ offset: 16, in: new Uint8Array(64) }], THEN_KEEP);
    await this.agent.close(result);
    const key = { offset: 8, in: new Uint8Array(4) };
    const { buffers } = await this.agent.bpf(
      BPF_MAP_LOOKUP_ELEM,
      words([box]),
      [key, { offset: 16, out: 8 }],
      THEN_KEEP,
    );
    return `0x${Buffer.from(buffers[0]!).readBigUInt64LE().toString(16)}`;
  }

  private async load(question: Question, maps: readonly KernelMap[]): Promise<KernelAnswer> {
    const insns = question.instructions.clone();
    eachMapLoad(insns, (i) => {
      const map = maps[insns.imm(i)];
      if (map !== undefined) insns.setImm(i, map.descriptor);
    });
    const { type, attachType, flags, license } = question;
    const [answer] = await this.as(question.capabilities, () => [
      this.agent.bpf(BPF_PROG_LOAD, ...programOf(type, attachType, flags, license, insns), THEN_DUMP_ALL),
    ]);
    const log = Buffer.from(answer.buffers[0] ?? []).toString('latin1');
    const shown = maps.map(({ address, valueAddress }) => ({ address, valueAddress }));
    if (answer.result < 0) return { errno: answer.result, log, translated: '', functions: [], maps: shown };
    const translated = Instructions.from(answer.translated!);
    eachMapLoad(translated, (i) => {
      translated.setImm(
        i,
        maps.findIndex(({ id }) => id === translated.imm(i)),
      );
    });
    let at = 0;
    const functions = answer.compiled!.addresses.map((address, f) => {
      const code = answer.compiled!.code.subarray(at, (at += answer.compiled!.lengths[f]!));
      return { address: `0x${address.toString(16)}`, code: Buffer.from(code).toString('hex') };
    });
    return { errno: 0, log, translated: Buffer.from(translated.bytes).toString('hex'), functions, maps: shown };
  }

  /** Sends requests between taking these capabilities and having all of them again. */
  private as<T extends Promise<unknown>[]>(
    capabilities: number,
    send: () => [...T],
  ): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
    // All are on their way, in order, before anyone else's: nothing is awaited between them.
    const taken = this.agent.setCapabilities(capabilities);
    const answers = send();
    const back = this.agent.setCapabilities(ALL_CAPABILITIES);
    return Promise.all([taken, back]).then(() => Promise.all(answers)) as Promise<{ [K in keyof T]: Awaited<T[K]> }>;
  }
}

function words(values: readonly number[]): Buffer {
  const attr = Buffer.alloc(ATTR_BYTES);
  values.forEach((value, i) => attr.writeUInt32LE(value, 4 * i));
  return attr;
}

/** Attribute and buffers of BPF_PROG_LOAD. */
function programOf(type: number, attachType: number, flags: number, license: string, insns: Instructions) {
  const attr = Buffer.alloc(ATTR_BYTES);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(insns.length, 4);
  attr.writeUInt32LE(LOG_LEVEL, 24);
  attr.writeUInt32LE(LOG_BYTES, 28);
  attr.writeUInt32LE(flags, 44);
  attr.write('t', 48);
  attr.writeUInt32LE(attachType, 68);
  const buffers = [
    { offset: 8, in: insns.bytes },
    { offset: 16, in: Buffer.from(`${license}\0`) },
    { offset: 32, text: LOG_BYTES },
  ];
  return [attr, buffers] as const;
}

function eachMapLoad(insns: Instructions, visit: (i: number) => void): void {
  for (let i = 0; i < insns.length; i++) {
    if (insns.opcode(i) !== LD_IMM64) continue;
    if (insns.src(i) === 1 || insns.src(i) === 2) visit(i);
    i++;
  }
}
