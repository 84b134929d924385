/** Whether an extension has the signature of the function that it replaces (btf_check_type_match, Linux 6.12). */
import { ATTACH } from '../refusals/attach.js';
import { refuse } from '../refusals/refuse.js';
import type { Btf } from '../../btf/btf.js';
import {
  KIND_ENUM,
  KIND_ENUM64,
  KIND_DATASEC,
  KIND_FLOAT,
  KIND_INT,
  KIND_PTR,
  KIND_STRUCT,
  KIND_UNION,
  LINKAGE_GLOBAL,
} from '../../btf/kinds.js';
import { isEnum } from '../../btf/layout.js';
import { kindName } from '../../btf/print.js';
import type { Env } from '../env.js';

/** A type with the BTF that it is in. */
interface Typed {
  readonly btf: Btf;
  readonly id: number;
}

const SIZED: ReadonlySet<number> = new Set([
  KIND_INT,
  KIND_STRUCT,
  KIND_UNION,
  KIND_ENUM,
  KIND_DATASEC,
  KIND_FLOAT,
  KIND_ENUM64,
]);

function behindModifiers({ btf }: Typed, id: number): Typed {
  return { btf, id: btf.skipModifiers(id) };
}

/** The kind with the number of members and the flag. */
function sameInfo(a: Typed, b: Typed): boolean {
  return (
    a.btf.kind(a.id) === b.btf.kind(b.id) &&
    a.btf.vlen(a.id) === b.btf.vlen(b.id) &&
    a.btf.kindFlag(a.id) === b.btf.kindFlag(b.id)
  );
}

function matchArgument(env: Env, i: number, own: Typed, target: Typed, names: readonly [string, string]): number {
  const [ownName, targetName] = names;
  if (!sameInfo(own, target)) {
    return refuse(env, ATTACH.extensionArgumentKind, ownName, own.btf, own.id, targetName, target.btf, target.id, i);
  }
  const kind = own.btf.kind(own.id);
  const size = own.btf.sizeOrType(own.id);
  const targetSize = target.btf.sizeOrType(target.id);
  if (SIZED.has(kind) && size !== targetSize) {
    return refuse(env, ATTACH.extensionArgumentSize, ownName, size, targetName, targetSize, i);
  }
  if (kind === KIND_INT || isEnum(own.btf, own.id)) return 0;
  if (kind !== KIND_PTR) return refuse(env, ATTACH.extensionArgumentUnknown, ownName, i);
  const pointee = behindModifiers(own, size);
  const targetPointee = behindModifiers(target, targetSize);
  if (own.btf.kind(pointee.id) !== KIND_STRUCT) return refuse(env, ATTACH.extensionArgumentNoContext, ownName, i);
  if (target.btf.kind(targetPointee.id) !== KIND_STRUCT)
    return refuse(env, ATTACH.extensionArgumentNoContext, targetName, i);
  const struct = own.btf.typeName(pointee.id);
  const targetStruct = target.btf.typeName(targetPointee.id);
  if (struct === targetStruct) return 0;
  return refuse(
    env,
    ATTACH.extensionArgumentStruct,
    ownName,
    own.btf,
    pointee.id,
    targetName,
    target.btf,
    targetPointee.id,
    i,
  );
}

/** Compares the program's own function with the FUNC `targetId`: 0, or the errno of what differs. */
export function matchFunction(env: Env, targetBtf: Btf, targetId: number): number {
  const { btf } = env;
  if (btf === null || !env.hasFuncInfo) return refuse(env, ATTACH.extensionWithoutBtf);
  const id = env.subprograms[0]!.typeId;
  const name = btf.typeName(id);
  const targetName = targetBtf.typeName(targetId);
  if (btf.linkage(id) !== LINKAGE_GLOBAL) return refuse(env, ATTACH.extensionNotGlobal, btf, id);
  if (targetBtf.linkage(targetId) !== LINKAGE_GLOBAL)
    return refuse(env, ATTACH.extensionNotGlobal, targetBtf, targetId);
  const own = { btf, id: btf.sizeOrType(id) };
  const target = { btf: targetBtf, id: targetBtf.sizeOrType(targetId) };
  const count = btf.vlen(own.id);
  const targetCount = targetBtf.vlen(target.id);
  if (count !== targetCount)
    return refuse(env, ATTACH.extensionArgumentCount, btf, id, count, targetBtf, targetId, targetCount);
  const result = behindModifiers(own, btf.sizeOrType(own.id));
  const targetResult = behindModifiers(target, targetBtf.sizeOrType(target.id));
  if (!sameInfo(result, targetResult)) {
    const kinds = [kindName(btf, result.id), kindName(targetBtf, targetResult.id)] as const;
    return refuse(env, ATTACH.extensionResultType, kinds[0], btf, id, kinds[1], targetBtf, targetId);
  }
  for (let i = 0; i < count; i++) {
    const argument = behindModifiers(own, btf.paramType(own.id, i));
    const targetArgument = behindModifiers(target, targetBtf.paramType(target.id, i));
    const err = matchArgument(env, i, argument, targetArgument, [name, targetName]);
    if (err !== 0) return err;
  }
  return 0;
}
