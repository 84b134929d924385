import { readBtf } from '../btf/read.js';
import type { ByteOrder } from '../bytes/byte-order.js';
import type { Btf } from '../btf/btf.js';
import type {
  AttachTypes,
  ContextData,
  HelperData,
  KernelData,
  Manifest,
  ProgramRecord,
  StructOpsRecord,
  TemplateInstruction,
} from './data.js';
import { behaviourOf, type Behaviour } from './behaviour.js';
import { fits, HelperTable, pairs } from './helper-table.js';
import { ALL_CAPABILITIES, isCapable } from './capabilities.js';
import { RecordedLayout } from './layout.js';
import type { KernelModule } from './modules.js';
import type {
  ContextLayout,
  HelperProto,
  IterTarget,
  MapOps,
  PacketAccess,
  Profile,
  StructOps,
  SymbolTable,
} from './profile.js';
import { PackedSymbols } from './symbols.js';

/**
 * A profile from the files of targets/NAME/, unpacked: `manifest.json`, `helpers.json`, `contexts.json`, `kernel.json`
 * (data.ts describes them), `config`, `symbols` (symbols.ts) and `vmlinux.btf`. The two large ones are read in place and
 * may lie in shared memory. The files are our own recordings: what is wrong with them is thrown, as a bug of ours.
 *
 * `btf` takes the place of the profile's own, where the caller has opened that already; `modules` continue it.
 */
export function decodeProfile(
  files: ReadonlyMap<string, Uint8Array>,
  btf?: Btf,
  modules: readonly KernelModule[] = [],
): Profile {
  return new RecordedProfile(files, btf ?? kernelBtf(file(files, 'vmlinux.btf')), modules);
}

class RecordedProfile implements Profile {
  readonly name: string;
  readonly release: string;
  readonly architecture: string;
  readonly digest: string;
  readonly cpu: Readonly<Record<string, boolean | number | string>>;
  readonly verified: string;
  readonly features: readonly string[];
  readonly behaviour: Behaviour;
  readonly cpuFeatures: readonly string[];
  readonly symbols: SymbolTable;
  readonly config: ReadonlyMap<string, string>;
  readonly pageSize: number;
  readonly userLimit: readonly [number, number];
  readonly possibleCpus: number;
  readonly kernelHz: number;
  readonly jitInlinedHelpers: ReadonlySet<number>;
  readonly inlinedHelpers: ReadonlyMap<number, readonly TemplateInstruction[]>;
  readonly errorInjectable: ReadonlySet<string>;
  readonly manifest: Manifest;
  readonly knowsCapabilities: boolean;
  readonly jitBypassesSpecV4: boolean;
  readonly opcodes: ReadonlySet<number>;
  readonly sleepableMaps: ReadonlySet<number>;
  private readonly helpers: HelperTable;
  private readonly programs: ReadonlyMap<number, ProgramRecord>;
  private readonly mapHelpers: ReadonlyMap<number, ReadonlySet<number>>;
  private readonly kernel: KernelData;
  private readonly contexts: ContextData;
  private readonly layouts = new Map<number, RecordedLayout>();
  private readonly idSets = new Map<string, ReadonlySet<number>>();
  private readonly functionSets = new Map<string, ReadonlyMap<number, number>>();
  private readonly functions: readonly ReadonlyMap<number, number>[];
  private readonly mapOperations: ReadonlyMap<number, Readonly<Record<string, string | number>>>;

  constructor(
    files: ReadonlyMap<string, Uint8Array>,
    readonly btf: Btf,
    readonly modules: readonly KernelModule[],
  ) {
    const manifest = json<Manifest>(files, 'manifest.json');
    this.manifest = manifest;
    this.name = manifest.name;
    this.release = manifest.release;
    this.architecture = manifest.architecture;
    this.digest = manifest.digest;
    this.cpu = manifest.cpu ?? {};
    this.verified = manifest.verified;
    this.features = manifest.features;
    this.behaviour = behaviourOf(manifest.features);
    this.cpuFeatures = manifest.cpuFeatures;
    this.pageSize = manifest.pageSize;
    const limit = BigInt(manifest.userLimit);
    this.userLimit = [Number(limit >> 32n), Number(limit & 0xffff_ffffn)];
    this.possibleCpus = manifest.possibleCpus;
    this.kernelHz = manifest.kernelHz;
    this.jitInlinedHelpers = new Set(manifest.jitInlinedHelpers);
    this.symbols = new PackedSymbols(file(files, 'symbols'));
    this.config = configuration(text(file(files, 'config')));
    this.helpers = new HelperTable(json<HelperData>(files, 'helpers.json'));
    this.contexts = json<ContextData>(files, 'contexts.json');
    this.kernel = json<KernelData>(files, 'kernel.json');
    this.knowsCapabilities = this.helpers.knowsCapabilities;
    this.jitBypassesSpecV4 = manifest.jitBypassesSpecV4 ?? false;
    this.inlinedHelpers = new Map(this.kernel.inlinedHelpers ?? []);
    this.programs = new Map(this.kernel.programs.map((program) => [program.type, program]));
    this.opcodes = new Set(this.kernel.opcodes);
    this.sleepableMaps = new Set(this.kernel.sleepableMaps);
    this.mapHelpers = new Map(this.kernel.mapHelpers.map(([id, mapTypes]) => [id, new Set(mapTypes)]));
    this.errorInjectable = new Set(this.kernel.errorInjectable);
    this.functions = this.kernel.functions.map((variant) => pairs(variant.functions));
    this.mapOperations = new Map(this.kernel.mapOps);
    for (const [hook, set] of Object.entries(this.kernel.functionSets)) this.functionSets.set(hook, pairs(set));
  }

  get byteOrder(): ByteOrder {
    return this.btf.byteOrder;
  }

  helperName(id: number): string | null {
    return this.helpers.name(id);
  }

  helper(
    progType: number,
    attachType: number,
    attachBtfId: number,
    id: number,
    sleepable = false,
    capabilities = ALL_CAPABILITIES,
  ): HelperProto | null {
    return this.helpers.helper(progType, attachType, attachBtfId, id, sleepable, capabilities);
  }

  helperChangesPacket(id: number): boolean {
    return this.helpers.packetChangers.has(id);
  }

  takesAttachType(type: number, attachType: number): boolean {
    const program = this.programs.get(type);
    return program !== undefined && includes(program.attachTypes, attachType);
  }

  maySleep(type: number, attachType: number): boolean {
    const program = this.programs.get(type);
    return program !== undefined && includes(program.sleepable, attachType);
  }

  packetAccess(type: number): PacketAccess {
    const [, direct, helper, otherHelper] = this.kernel.packetAccess.find(([t]) => t === type) ?? [type, 0, 0, 0];
    return { direct, helper, otherHelper };
  }

  helperTakesMap(id: number, mapType: number): boolean {
    return this.mapHelpers.get(id)?.has(mapType) ?? true;
  }

  updatesSocketMaps(type: number, attachType: number, helper: number): boolean {
    return this.kernel.socketMapUpdates.some((u) => u.helper === helper && fits(u, type, attachType, 0));
  }

  context(progType: number, attachType: number, capabilities = ALL_CAPABILITIES): ContextLayout | null {
    const found = this.contexts.programs.find(
      (p) => fits(p, progType, attachType, 0) && isCapable(capabilities, p.needs ?? 0),
    );
    if (found === undefined) return null;
    const layout = this.layout(found.layout);
    return layout.isBtf ? null : layout;
  }

  pointerContext(regType: number): ContextLayout | null {
    const found = this.contexts.pointers.find(([type]) => type === regType);
    return found === undefined ? null : this.layout(found[1]);
  }

  mapOps(mapType: number): MapOps | null {
    const ops = this.mapOperations.get(mapType);
    if (ops === undefined) return null;
    const symbol = (member: string): string | null => {
      const value = ops[member];
      return typeof value === 'string' ? value : null;
    };
    return {
      genLookup: symbol('map_gen_lookup'),
      lookupElem: symbol('map_lookup_elem'),
      updateElem: symbol('map_update_elem'),
      deleteElem: symbol('map_delete_elem'),
      pushElem: symbol('map_push_elem'),
      popElem: symbol('map_pop_elem'),
      peekElem: symbol('map_peek_elem'),
      redirect: symbol('map_redirect'),
      forEachCallback: symbol('map_for_each_callback'),
      lookupPercpuElem: symbol('map_lookup_percpu_elem'),
      btfId: typeof ops['map_btf_id'] === 'number' ? ops['map_btf_id'] : 0,
    };
  }

  kernelFunctionFlags(progType: number, btfFuncId: number, attachType = 0, attachBtfId = 0): number {
    const found = this.kernel.functions.findIndex((v) => fits(v, progType, attachType, attachBtfId));
    return this.functions[found]?.get(btfFuncId) ?? -1;
  }

  modifyReturnFlags(btfFuncId: number): number {
    return this.functionSets.get('FMODRET')?.get(btfFuncId) ?? -1;
  }

  btfIdSet(symbol: string): ReadonlySet<number> {
    let set = this.idSets.get(symbol);
    if (set === undefined) {
      set = new Set(this.kernel.idSets[symbol] ?? []);
      this.idSets.set(symbol, set);
    }
    return set;
  }

  btfIdList(symbol: string): readonly number[] {
    return this.kernel.idSets[symbol] ?? [];
  }

  destructor(btfId: number): number {
    const at = this.kernel.destructors.findIndex((id, i) => i % 2 === 0 && id === btfId);
    return at < 0 ? 0 : this.kernel.destructors[at + 1]!;
  }

  contextTypes(progType: number): readonly [number, number] | null {
    const found = this.kernel.contextTypes.find(([type]) => type === progType);
    return found === undefined ? null : [found[1], found[2]];
  }

  lsmResultRange(hookBtfId: number): readonly [number, number] | null {
    const found = this.kernel.lsmResults.find(([id]) => id === hookBtfId);
    return found === undefined ? null : [found[1], found[2]];
  }

  rawTracepointFunction(tracepoint: string): string | null {
    return this.kernel.rawTracepoints[tracepoint] ?? null;
  }

  rawTracepointNullArguments(tracepoint: string): number | null {
    const mask = this.kernel.rawTracepointNulls[tracepoint];
    return mask === undefined ? null : Number(mask);
  }

  structOps(btfTypeId: number): StructOps | null {
    const found = this.kernel.structOps.find(({ typeId }) => typeId === btfTypeId);
    return found === undefined ? null : decodeStructOps(found);
  }

  iterTarget(btfFuncId: number): IterTarget | null {
    const found = this.kernel.iterators.find(({ btfId }) => btfId === btfFuncId);
    if (found === undefined) return null;
    const args = found.arguments.map(([offset, regType, btfId]) => ({ offset, regType, btfId }));
    return { name: found.name, arguments: args };
  }

  private layout(index: number): RecordedLayout {
    let layout = this.layouts.get(index);
    if (layout === undefined) {
      layout = new RecordedLayout(this.contexts, this.contexts.layouts[index]!);
      this.layouts.set(index, layout);
    }
    return layout;
  }
}

function includes({ others, listed }: AttachTypes, attachType: number): boolean {
  return listed.includes(attachType) !== others;
}

function decodeStructOps(record: StructOpsRecord): StructOps {
  return {
    name: record.name,
    valueTypeId: record.valueId,
    supported: new Set(record.supported),
    sleepable: new Set(record.sleepable),
    arguments: record.arguments.map(([member, offset, regType, btfId]) => ({ member, offset, regType, btfId })),
    promoted: new Map(record.promoted),
    writable: record.writable.map(([btfId, offset, size]) => ({ btfId, offset, size })),
  };
}

function kernelBtf(bytes: Uint8Array): Btf {
  const btf = readBtf(bytes, null, 'vmlinux');
  if (!btf.ok) throw new Error(`vmlinux.btf: ${btf.failure.message}`);
  return btf.value;
}

function file(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`the profile has no ${name}`);
  return bytes;
}

/** A file of ours, in the shape that the recorder gave it. */
function json<T>(files: ReadonlyMap<string, Uint8Array>, name: string): T {
  return JSON.parse(text(file(files, name))) as T;
}

/** ASCII; the copy is for shared memory, which decoders do not take. */
function text(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes.slice());
}

function configuration(content: string): Map<string, string> {
  const config = new Map<string, string>();
  for (const line of content.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) config.set(line.slice(0, at), line.slice(at + 1));
  }
  return config;
}
