import {
  ACCESS_READ_SIGNED,
  ACCESS_WRITE,
  type ContextData,
  type ConversionRow,
  type LayoutRecord,
} from '../../../src/compiler/targets/data.js';
import * as types from '../../../src/compiler/targets/types.js';
import type { ProgramEmulator, ProgramKind } from '../emulate/program.js';
import { accessRows, AccessRecorder, allAccesses, type Access, type AccessArguments } from './access.js';
import { TemplateTable } from './conversions.js';
import { capabilitySets } from './needs.js';
import type { Operations } from './operations.js';
import type { Vocabulary } from './vocabulary.js';

/** How far into a context offsets are tried. Tracepoint buffers reach furthest (PERF_MAX_TRACE_SIZE, 8192). */
const REACH = 8192;
/** A layout that allows nothing in so many bytes is not asked further, unless it reaches to the end. */
const USUAL_REACH = 640;

const LDX_MEM = 0x61;
const STX_MEM = 0x63;
const ST_MEM = 0x62;
const SIZE_BITS = new Map([
  [1, 0x10],
  [2, 0x08],
  [4, 0x00],
  [8, 0x18],
]);

const PROGRAM_ARGUMENTS: AccessArguments = (offset, size, type, program, info) => [
  BigInt(offset),
  BigInt(size),
  type,
  program,
  info,
];
const POINTER_ARGUMENTS: AccessArguments = (offset, size, type, _program, info) => [
  BigInt(offset),
  BigInt(size),
  type,
  info,
];

/** The layouts of all program types' contexts, and of the socket pointers that look like one. */
export async function recordContexts(
  emulator: ProgramEmulator,
  vocabulary: Vocabulary,
  operations: readonly Operations[],
): Promise<ContextData> {
  const table = new TemplateTable(emulator);
  const recorder = new LayoutRecorder(emulator, new AccessRecorder(emulator, vocabulary), table);
  const programs: ContextData['programs'][number][] = [];
  for (const ops of operations) if (ops.isValidAccess !== 0n) programs.push(...(await recorder.programs(ops)));
  const pointers = await recorder.pointers();
  return { templates: table.templates, choices: table.choices, layouts: recorder.layouts, programs, pointers };
}

/** A layout, and what the loading process must be capable of to get it. */
interface GuardedLayout {
  readonly layout: number;
  readonly needs?: number;
}

class LayoutRecorder {
  readonly layouts: LayoutRecord[] = [];
  private readonly index = new Map<string, number>();

  constructor(
    private readonly emulator: ProgramEmulator,
    private readonly access: AccessRecorder,
    private readonly table: TemplateTable,
  ) {}

  /** A layout for each group of attach types (and structures) that the kernel treats alike. */
  async programs(ops: Operations): Promise<ContextData['programs'][number][]> {
    const attachTypes = this.emulator.kernel.enumerators('bpf_attach_type').get('__MAX_BPF_ATTACH_TYPE') ?? 64;
    const groups = new Map<string, { layouts: readonly GuardedLayout[]; attachTypes: number[] }>();
    let differs = false;
    for (let attachType = 0; attachType < attachTypes; attachType++) {
      this.emulator.forget();
      const kind = { type: ops.type, attachType, sleepable: false, attachBtfId: ops.attachBtfId };
      const layouts = await this.guardedLayouts(ops, kind);
      const same = groups.get(JSON.stringify(layouts));
      if (same === undefined) groups.set(JSON.stringify(layouts), { layouts, attachTypes: [attachType] });
      else same.attachTypes.push(attachType);
      differs ||= this.emulator.looked.attachType;
      if (!differs) break;
    }
    const attachBtfIds = ops.attachBtfId === 0 ? null : [ops.attachBtfId];
    return [...groups.values()].flatMap(({ layouts, attachTypes }) =>
      layouts.map((guarded) => ({
        type: ops.type,
        attachTypes: groups.size > 1 ? attachTypes : null,
        attachBtfIds,
        ...guarded,
      })),
    );
  }

  /** The layout; where the kernel asks what the process may do, one for each answer, the most capable first. */
  private async guardedLayouts(ops: Operations, kind: ProgramKind): Promise<GuardedLayout[]> {
    const { emulator } = this;
    const layout = await this.layout(ops, kind);
    const lesser: GuardedLayout[] = [];
    for (const needs of capabilitySets(emulator.looked.capabilities)) {
      const seen = await emulator.withCapabilities(needs, () => this.layout(ops, kind));
      lesser.push(needs === 0 ? { layout: seen } : { layout: seen, needs });
    }
    return lesser.some((guarded) => guarded.layout !== layout) ? lesser : [{ layout }];
  }

  /** PTR_TO_SOCKET and its like: the kernel has an is_valid_access and a conversion for each, outside the tables. */
  async pointers(): Promise<[number, number][]> {
    const socket = { check: 'bpf_sock_is_valid_access', convert: 'bpf_sock_convert_ctx_access' };
    const known = [
      { regType: types.PTR_TO_SOCKET, ...socket },
      { regType: types.PTR_TO_SOCK_COMMON, ...socket, check: 'bpf_sock_common_is_valid_access' },
      {
        regType: types.PTR_TO_TCP_SOCK,
        check: 'bpf_tcp_sock_is_valid_access',
        convert: 'bpf_tcp_sock_convert_ctx_access',
      },
      {
        regType: types.PTR_TO_XDP_SOCK,
        check: 'bpf_xdp_sock_is_valid_access',
        convert: 'bpf_xdp_sock_convert_ctx_access',
      },
    ];
    const found: [number, number][] = [];
    const kind = { type: 0, attachType: 0, sleepable: false, attachBtfId: 0 };
    const { symbols } = this.emulator.kernel;
    for (const { regType, check, convert } of known) {
      const at = symbols.find(check);
      if (at === null) continue;
      const accesses = await allAccesses(this.access, at, kind, USUAL_REACH, POINTER_ARGUMENTS);
      const rows = await this.conversions(accesses, symbols.address(convert), kind, []);
      found.push([
        regType,
        this.add({ access: accessRows(accesses, () => 0), convert: rows, btf: false, prologue: [-1, -1] }),
      ]);
    }
    return found;
  }

  private async layout(ops: Operations, kind: ProgramKind): Promise<number> {
    this.emulator.btfContext = () => true;
    let isBtf = false;
    const run = async (reach: number) => {
      const accesses = await allAccesses(this.access, ops.isValidAccess, kind, reach, PROGRAM_ARGUMENTS);
      isBtf ||= this.emulator.btfContextAsked;
      return accesses;
    };
    let accesses = await run(USUAL_REACH);
    const probe = await this.access.ask(ops.isValidAccess, kind, 0, 8, 8, PROGRAM_ARGUMENTS);
    if (probe !== null) isBtf ||= this.emulator.btfContextAsked;
    if (accesses.some((a) => a.offset + a.size >= USUAL_REACH)) accesses = await run(REACH);
    const noteSets = distinctNotes(accesses);
    const convert =
      ops.convertCtxAccess === 0n ? [] : await this.conversions(accesses, ops.convertCtxAccess, kind, noteSets);
    const prologue: [number, number] =
      ops.genPrologue === 0n
        ? [-1, -1]
        : [
            await this.table.prologue(ops.genPrologue, kind, false),
            await this.table.prologue(ops.genPrologue, kind, true),
          ];
    const depends = convert.some(([, , notes]) => notes !== 0);
    const noteBit = (a: Access) => (depends && a.notes.size > 0 ? 1 << noteSets.indexOf(key(a.notes)) : 0);
    return this.add({ access: accessRows(accesses, noteBit), convert, btf: isBtf, prologue });
  }

  /** What each allowed access becomes; where notes of other accesses change it, once for each set of them. */
  private async conversions(
    accesses: readonly Access[],
    convert: bigint,
    kind: ProgramKind,
    noteSets: readonly string[],
  ): Promise<ConversionRow[]> {
    const rows: ConversionRow[] = [];
    const done = new Set<string>();
    for (const a of accesses) {
      if (a.mode === ACCESS_READ_SIGNED) continue;
      // Narrow loads are cut out of a load of the whole field.
      const size = a.mode === ACCESS_WRITE || a.fieldSize === 0 ? a.size : Math.max(a.size, a.fieldSize);
      const offset = a.fieldSize > a.size ? a.offset & ~(a.fieldSize - 1) : a.offset;
      for (const memory of a.mode === ACCESS_WRITE ? [STX_MEM, ST_MEM] : [LDX_MEM]) {
        const opcode = (memory & 0x67 & ~0x18) | SIZE_BITS.get(size)!;
        if (done.has(`${opcode},${offset}`)) continue;
        done.add(`${opcode},${offset}`);
        const plain = await this.table.convert(convert, kind, opcode, offset, new Map());
        rows.push([opcode, offset, 0, plain.targetSize, plain.choice]);
        for (const [bit, notes] of noteSets.entries()) {
          const noted = await this.table.convert(convert, kind, opcode, offset, parse(notes));
          if (noted.choice !== plain.choice || noted.targetSize !== plain.targetSize) {
            rows.push([opcode, offset, 1 << bit, noted.targetSize, noted.choice]);
          }
        }
      }
    }
    return rows;
  }

  private add(layout: LayoutRecord): number {
    const text = JSON.stringify(layout);
    let index = this.index.get(text);
    if (index === undefined) {
      index = this.layouts.length;
      this.layouts.push(layout);
      this.index.set(text, index);
    }
    return index;
  }
}

function distinctNotes(accesses: readonly Access[]): string[] {
  return [...new Set(accesses.filter((a) => a.notes.size > 0).map((a) => key(a.notes)))];
}
function key(notes: ReadonlyMap<number, number>): string {
  return JSON.stringify([...notes]);
}
function parse(notes: string): Map<number, number> {
  return new Map(JSON.parse(notes) as [number, number][]);
}
