/** What a function is called with, according to its BTF prototype and tags (btf_prepare_func_args of Linux 6.12). */
import { TYPE_INFO } from '../refusals/type-info.js';
import { refuse, refuseAs } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import { KIND_DECL_TAG, KIND_FUNC, KIND_FUNC_PROTO, KIND_INT, KIND_PTR, LINKAGE_GLOBAL } from '../../btf/kinds.js';
import { isEnum, resolveSize } from '../../btf/layout.js';
import { essentialLength } from '../../btf/names.js';
import * as t from '../../targets/types.js';
import { isProgContextType, validateContextType } from '../kernel/context-type.js';
import type { Env, Subprogram } from '../env.js';
import { ENOENT, ESRCH } from '../errno.js';

/** One argument: ARG_… with flags; bytes of the memory it points to; kernel type of the object it points to. */
export interface FunctionArgument {
  readonly type: number;
  readonly memSize: number;
  readonly btfId: number;
}

const MAX_ARGUMENTS = 5;

/** Tags `arg:…` of the arguments of global functions. */
const TAG_CTX = 1 << 0;
const TAG_NONNULL = 1 << 1;
const TAG_TRUSTED = 1 << 2;
const TAG_NULLABLE = 1 << 3;
const TAG_ARENA = 1 << 4;
const TAGS: ReadonlyMap<string, number> = new Map([
  ['ctx', TAG_CTX],
  ['nonnull', TAG_NONNULL],
  ['trusted', TAG_TRUSTED],
  ['nullable', TAG_NULLABLE],
  ['arena', TAG_ARENA],
]);

/** One function whose prototype is being read. */
interface Reader {
  readonly env: Env;
  readonly btf: Btf;
  readonly functionId: number;
  readonly isGlobal: boolean;
  /** Type of the program that the function's callers are. */
  readonly progType: number;
}

function isNumber(btf: Btf, id: number): boolean {
  return btf.kind(id) === KIND_INT || isEnum(btf, id);
}

/** The tags of argument `i`, or an errno. */
function argumentTags({ env, btf, functionId, isGlobal }: Reader, i: number): number {
  let tags = 0;
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    if (btf.kind(id) !== KIND_DECL_TAG || btf.sizeOrType(id) !== functionId || btf.declTagComponent(id) !== i) continue;
    const text = btf.typeName(id);
    if (!text.startsWith('arg:')) continue;
    if (!isGlobal) return refuse(env, TYPE_INFO.tagOnStatic, i);
    const tag = TAGS.get(text.slice('arg:'.length));
    if (tag === undefined) return refuse(env, TYPE_INFO.tagUnknown, i);
    tags |= tag;
  }
  return tags;
}

function argument(type: number, memSize = 0, btfId = 0): FunctionArgument {
  return { type, memSize, btfId };
}

function wrongTags(env: Env, i: number): number {
  return refuse(env, TYPE_INFO.tagsConflict, i);
}

function readContext({ env, btf, progType }: Reader, i: number, id: number, tags: number): FunctionArgument | number {
  if ((tags & ~TAG_CTX) !== 0) return wrongTags(env, i);
  const attachType = env.program.expectedAttachType;
  const err = (tags & TAG_CTX) === 0 ? 0 : validateContextType(env, btf, id, i, progType, attachType);
  if (err !== 0) return err;
  return argument(t.ARG_PTR_TO_CTX);
}

/** The kernel's type of the same essential name and kind, where there is exactly one. */
function kernelTypeOf({ env, btf }: Reader, i: number, id: number): number {
  const target = btf.skipModifiers(btf.sizeOrType(id));
  const name = btf.typeName(target);
  const kernel = env.profile.btf;
  const essential = name.slice(0, essentialLength(name));
  const candidates = kernel.withName(essential).filter((c) => kernel.kind(c) === btf.kind(target));
  if (candidates.length === 1) return candidates[0]!;
  const isNone = candidates.length === 0;
  return refuseAs(env, isNone ? ENOENT : ESRCH, TYPE_INFO.tagTypeUnknown, i, btf, target, isNone);
}

function readTrusted(reader: Reader, i: number, id: number, tags: number): FunctionArgument | number {
  if ((tags & TAG_NONNULL) !== 0) return wrongTags(reader.env, i);
  const kernelId = kernelTypeOf(reader, i, id);
  if (kernelId < 0) return kernelId;
  const nullable = (tags & TAG_NULLABLE) !== 0 ? t.PTR_MAYBE_NULL : 0;
  return argument(t.ARG_PTR_TO_BTF_ID | t.PTR_TRUSTED | nullable, 0, kernelId);
}

/** A pointer to the caller's data: memory of the pointee's size. */
function readMemory({ env, btf }: Reader, i: number, id: number, tags: number): FunctionArgument | number {
  if ((tags & TAG_NULLABLE) !== 0) return wrongTags(env, i);
  const target = btf.skipModifiers(btf.sizeOrType(id));
  const size = resolveSize(btf, target);
  if (size === null) {
    return refuse(env, TYPE_INFO.tagMemorySize, i, btf, target);
  }
  return argument(t.ARG_PTR_TO_MEM | ((tags & TAG_NONNULL) !== 0 ? 0 : t.PTR_MAYBE_NULL), size.size);
}

function isDynptr(btf: Btf, id: number): boolean {
  return btf.typeName(btf.skipModifiers(btf.sizeOrType(id))) === 'bpf_dynptr';
}

/** A pointer argument; null where it is none that a static function's callers can be held to. */
function readPointer(reader: Reader, i: number, id: number, tags: number): FunctionArgument | number | null {
  const { env, btf, isGlobal, progType } = reader;
  if ((tags & TAG_CTX) !== 0 || isProgContextType(env, btf, id, progType)) return readContext(reader, i, id, tags);
  if (isDynptr(btf, id)) return tags !== 0 ? wrongTags(env, i) : argument(t.ARG_PTR_TO_DYNPTR | t.MEM_RDONLY);
  if ((tags & TAG_TRUSTED) !== 0) return readTrusted(reader, i, id, tags);
  if ((tags & TAG_ARENA) !== 0) {
    if (tags === TAG_ARENA) return argument(t.ARG_PTR_TO_ARENA);
    return refuse(env, TYPE_INFO.tagArena, i);
  }
  return isGlobal ? readMemory(reader, i, id, tags) : null;
}

function readArgument(reader: Reader, i: number, protoId: number): FunctionArgument | number {
  const { env, btf, isGlobal } = reader;
  const tags = argumentTags(reader, i);
  if (tags < 0) return tags;
  const id = btf.skipModifiers(btf.paramType(protoId, i));
  if (btf.kind(id) === KIND_PTR) {
    const pointer = readPointer(reader, i, id, tags);
    if (pointer !== null) return pointer;
  }
  if (tags !== 0) return refuse(env, TYPE_INFO.tagNoPointer, i);
  if (isNumber(btf, id)) return argument(t.ARG_ANYTHING);
  if (!isGlobal) return refuse(env, TYPE_INFO.staticPrototype);
  return refuse(env, TYPE_INFO.functionArgumentType, i, btf, id, reader.functionId);
}

function readPrototype(reader: Reader, subprogram: Subprogram): number {
  const { env, btf, functionId, isGlobal } = reader;
  const protoId = btf.sizeOrType(functionId);
  if (btf.kind(protoId) !== KIND_FUNC_PROTO) return refuse(env, TYPE_INFO.functionPrototype, btf, functionId);
  const count = btf.vlen(protoId);
  if (count > MAX_ARGUMENTS) {
    if (!isGlobal) return refuse(env, TYPE_INFO.staticPrototype);
    return refuse(env, TYPE_INFO.functionTooManyArguments, btf, functionId, count, MAX_ARGUMENTS);
  }
  if (!isNumber(btf, btf.skipModifiers(btf.sizeOrType(protoId)))) {
    if (!isGlobal) return refuse(env, TYPE_INFO.staticPrototype);
    return refuse(env, TYPE_INFO.functionResult, btf, functionId);
  }
  const args: FunctionArgument[] = [];
  for (let i = 0; i < count; i++) {
    const one = readArgument(reader, i, protoId);
    if (typeof one === 'number') return one;
    args.push(one);
  }
  subprogram.args = args;
  subprogram.argsCached = true;
  return 0;
}

/**
 * Reads what a function is called with into `subprogram.args`, once. -EINVAL where the prototype does not tell, -EFAULT
 * where the kernel would own up to a bug, other errnos for tags.
 */
export function prepareFunctionArguments(env: Env, index: number): number {
  const subprogram = env.subprograms[index]!;
  if (subprogram.argsCached) return 0;
  const { btf } = env;
  if (!env.hasFuncInfo || btf === null) return refuse(env, TYPE_INFO.functionInfoLost);
  const functionId = subprogram.typeId;
  const isGlobal = subprogram.linkage === LINKAGE_GLOBAL;
  if (functionId === 0)
    return isGlobal ? refuse(env, TYPE_INFO.functionWithoutBtf) : refuse(env, TYPE_INFO.staticPrototype);
  if (btf.kind(functionId) !== KIND_FUNC) {
    return refuse(env, TYPE_INFO.functionTypeKind, index);
  }
  if (subprogram.unreliable) return refuse(env, TYPE_INFO.functionUnreliable, btf, functionId);
  return readPrototype({ env, btf, functionId, isGlobal, progType: env.progType }, subprogram);
}
