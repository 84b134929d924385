/** Loads one program given as bare instructions: what BPF_BTF_LOAD, BPF_MAP_CREATE and BPF_PROG_LOAD are told of it. */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import type { StructRecords } from '../btf/parse-record.js';
import { canonicalBtf } from '../btf/canonical.js';
import { readBtf } from '../btf/read.js';
import { parseStructRecords } from '../btf/struct-records.js';
import { validateBtf } from '../btf/validate.js';
import type { ByteOrder } from '../bytes/byte-order.js';
import { ByteReader } from '../bytes/reader.js';
import { Instructions } from '../isa/instructions.js';
import { MAX_INSNS } from '../isa/opcodes.js';
import { fail, ok, type Outcome } from '../outcome.js';
import { ALL_CAPABILITIES, CAP_BPF, isCapable } from '../targets/capabilities.js';
import type { Profile } from '../targets/profile.js';
import * as uapi from '../targets/uapi.js';
import { findAttachTarget, findTargetFunction, inKernel, type Attachment } from './attach-target.js';
import { errorText } from './error-text.js';
import { E2BIG, EINVAL, EPERM, ESRCH, loadFailure, refuse } from './failure.js';
import { kptrTargets } from './kptr-targets.js';
import { checkMapAttributes, created } from './map-create.js';
import { checkMapTypes } from './map-types-check.js';
import { checkProgramAttributes, effectiveAttachType, isObjectName } from './program-attributes.js';
import type { FuncInfo, LineInfo, MapSpec, Program, TargetProgram } from './program.js';

const NAME_LENGTH = 15;
/** Most maps of one program (MAX_USED_MAPS). */
const MAX_MAPS = 64;
const INSN_BYTES = 8;
const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;

/** A map by its attributes. */
export interface RawMapInput {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  readonly innerMap: RawMapInput | null;
}

/** A program by its attributes, in the kernel's byte order; `instructions` carry indices of `maps` in LD_IMM64 of source 1 and 2. */
export interface RawProgramInput {
  readonly name: string;
  readonly type: number;
  readonly expectedAttachType: number;
  readonly instructions: Uint8Array;
  readonly maps: readonly RawMapInput[];
  /** BTF, struct bpf_func_info and struct bpf_line_info records; empty where there are none. */
  readonly btf: Uint8Array;
  readonly funcInfo: Uint8Array;
  readonly lineInfo: Uint8Array;
  readonly license: string;
  readonly flags: number;
  /** A function, tracepoint, hook or struct of the kernel by name; or its BTF id. */
  readonly attachTo: string;
  readonly attachBtfId: number;
}

/**
 * The program for verification, or what the kernel refuses before it verifies. `capabilities`: what the process may do
 * that loads it (effective ones); `target`: the BPF program that it is attached to.
 */
export function loadRaw(
  raw: RawProgramInput,
  profile: Profile,
  capabilities: number = ALL_CAPABILITIES,
  target: TargetProgram | null = null,
): Outcome<Program> {
  const { length } = raw.instructions;
  if (length % INSN_BYTES !== 0) return refuse('INSTRUCTIONS', 'instructions are 8 bytes each', EINVAL);
  if (length === 0 || length > MAX_INSNS * INSN_BYTES) return attributes(raw, E2BIG);
  const types = loadTypes(raw.btf, profile, capabilities);
  if (!types.ok) return types;
  const maps = makeMaps(raw, types.value, profile, capabilities);
  if (!maps.ok) return maps;
  const funcInfo = readFuncInfo(raw.funcInfo, profile.byteOrder);
  const lineInfo = readLineInfo(raw.lineInfo, profile.byteOrder);
  if (funcInfo === null) return refuse('FUNC_INFO', 'func_info records are 8 bytes each', EINVAL);
  if (lineInfo === null) return refuse('LINE_INFO', 'line_info records are 16 bytes each', EINVAL);
  const attachment = attachmentOf(raw, profile, target);
  if (!attachment.ok) return attachment;
  const program: Program = {
    name: raw.name.slice(0, NAME_LENGTH),
    functionName: raw.name,
    section: '',
    type: raw.type,
    expectedAttachType: effectiveAttachType(raw.type, raw.expectedAttachType),
    capabilities,
    flags: raw.flags,
    license: raw.license,
    kernVersion: 0,
    instructions: Instructions.from(raw.instructions, profile.byteOrder),
    maps: maps.value,
    btf: types.value.btf,
    funcInfo,
    lineInfo,
    ...attachment.value,
    functionBtfs: profile.modules,
  };
  const errno = checkProgramAttributes(program, profile);
  return errno === 0 ? ok(program) : attributes(raw, errno);
}

function attributes(raw: RawProgramInput, errno: number): Outcome<Program> {
  const message = `prog '${raw.name}': BPF program load failed: ${errorText(errno)}`;
  return fail(loadFailure('PROGRAM_ATTRIBUTES', message, errno));
}

interface Types {
  readonly btf: Btf | null;
  readonly structs: StructRecords;
}

/** BPF_BTF_LOAD. */
function loadTypes(bytes: Uint8Array, profile: Profile, capabilities: number): Outcome<Types> {
  if (bytes.length === 0) return ok({ btf: null, structs: new Map() });
  if (!isCapable(capabilities, CAP_BPF)) return refuse('BTF_REJECTED', `BTF rejected: ${errorText(EPERM)}`, EPERM);
  const blob = canonicalBtf(bytes, profile.byteOrder);
  const verdict = validateBtf(blob);
  if (verdict.errno !== 0) return refuse('BTF_REJECTED', `BTF rejected:\n${verdict.log}`, verdict.errno);
  const btf = readBtf(new Uint8Array(blob), null, '');
  if (!btf.ok) return btf;
  const structs = parseStructRecords(btf.value, kptrTargets(profile));
  if (typeof structs === 'number') return refuse('BTF_REJECTED', 'BTF rejected', structs);
  return ok({ btf: btf.value, structs });
}

/** BPF_MAP_CREATE for every map. */
function makeMaps(raw: RawProgramInput, types: Types, profile: Profile, capabilities: number): Outcome<MapSpec[]> {
  if (raw.maps.length > MAX_MAPS) return attributes(raw, E2BIG) as Outcome<never>;
  const specs: MapSpec[] = [];
  for (const [i, map] of raw.maps.entries()) {
    const spec = makeMap(map, types, profile, capabilities);
    if (typeof spec === 'number') {
      const message = `map '${map.name || i}': failed to create: ${errorText(spec)}(${spec})`;
      return refuse('MAP_CREATE', message, spec, { symbol: map.name });
    }
    specs.push(spec);
  }
  return ok(specs);
}

function makeMap(map: RawMapInput, types: Types, profile: Profile, capabilities: number): MapSpec | number {
  const inner =
    map.innerMap === null ? null : makeMap({ ...map.innerMap, innerMap: null }, types, profile, capabilities);
  if (typeof inner === 'number') return inner;
  const isTyped = map.btfKeyTypeId !== 0 || map.btfValueTypeId !== 0;
  if (isTyped && types.btf === null) return EINVAL;
  const spec: MapSpec = {
    name: map.name.slice(0, NAME_LENGTH),
    fullName: map.name,
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags,
    mapExtra: map.mapExtra,
    btf: isTyped ? types.btf : null,
    btfKeyTypeId: map.btfKeyTypeId,
    btfValueTypeId: map.btfValueTypeId,
    btfVmlinuxValueTypeId: 0,
    innerMap: inner,
    numaNode: 0,
    pinning: 0,
    contents: null,
    frozen: false,
    section: '',
  };
  if (!isObjectName(spec.name)) return EINVAL;
  return (
    checkMapAttributes(spec, profile, capabilities) ||
    checkMapTypes(spec, types.structs, kptrTargets(profile)) ||
    created(spec)
  );
}

function readFuncInfo(bytes: Uint8Array, order: ByteOrder): FuncInfo[] | null {
  if (bytes.length % FUNC_INFO_BYTES !== 0) return null;
  const reader = new ByteReader(bytes, order);
  return Array.from({ length: bytes.length / FUNC_INFO_BYTES }, (_, i) => ({
    instruction: reader.u32(i * FUNC_INFO_BYTES),
    typeId: reader.u32(i * FUNC_INFO_BYTES + 4),
  }));
}

function readLineInfo(bytes: Uint8Array, order: ByteOrder): LineInfo[] | null {
  if (bytes.length % LINE_INFO_BYTES !== 0) return null;
  const reader = new ByteReader(bytes, order);
  return Array.from({ length: bytes.length / LINE_INFO_BYTES }, (_, i) => ({
    instruction: reader.u32(i * LINE_INFO_BYTES),
    fileNameOff: reader.u32(i * LINE_INFO_BYTES + 4),
    lineOff: reader.u32(i * LINE_INFO_BYTES + 8),
    lineCol: reader.u32(i * LINE_INFO_BYTES + 12),
  }));
}

/** What the program is attached to: by id, or by the name of a function of the target or of something in the kernel. */
function attachmentOf(raw: RawProgramInput, profile: Profile, target: TargetProgram | null): Outcome<Attachment> {
  const byName = raw.attachBtfId === 0 && raw.attachTo !== '';
  if (target !== null) {
    const id = byName ? findTargetFunction(target, raw.attachTo, raw.attachTo) : ok(raw.attachBtfId);
    return id.ok ? ok({ attachBtfId: id.value, attachBtf: target.btf, attachProgram: target }) : id;
  }
  if (!byName) return ok(inKernel(raw.attachBtfId, profile.btf));
  const found = findTarget(raw, profile);
  if (typeof found !== 'number') return ok(inKernel(found.id, found.btf));
  const message = `failed to find kernel BTF type ID of '${raw.attachTo}': ${found}`;
  return refuse('ATTACH_TARGET', message, found, { symbol: raw.attachTo });
}

/** struct_ops programs name the struct they implement a member of; others what they are attached to. */
function findTarget(raw: RawProgramInput, profile: Profile): ReturnType<typeof findAttachTarget> {
  if (raw.type !== uapi.BPF_PROG_TYPE_STRUCT_OPS)
    return findAttachTarget(profile, raw.attachTo, raw.expectedAttachType);
  const id = profile.btf.find(raw.attachTo, kind.KIND_STRUCT);
  return id === 0 ? ESRCH : { btf: profile.btf, id };
}
