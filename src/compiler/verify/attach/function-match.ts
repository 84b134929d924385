/** Whether an extension has the signature of the function that it replaces (btf_check_type_match, Linux 6.12). */
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

function matchesArgument(env: Env, i: number, own: Typed, target: Typed, names: readonly [string, string]): boolean {
  const no = (sentence: string): false => {
    env.log.write(`arg${i} ${sentence}\n`);
    return false;
  };
  const [ownName, targetName] = names;
  if (!sameInfo(own, target)) {
    return no(
      `in ${ownName}() is ${kindName(own.btf, own.id)} while ${targetName}() has ${kindName(target.btf, target.id)}`,
    );
  }
  const kind = own.btf.kind(own.id);
  const size = own.btf.sizeOrType(own.id);
  const targetSize = target.btf.sizeOrType(target.id);
  if (SIZED.has(kind) && size !== targetSize) {
    return no(`in ${ownName}() has size ${size} while ${targetName}() has ${targetSize}`);
  }
  if (kind === KIND_INT || isEnum(own.btf, own.id)) return true;
  if (kind !== KIND_PTR) return no(`in ${ownName}() has unrecognized type`);
  const pointee = behindModifiers(own, size);
  const targetPointee = behindModifiers(target, targetSize);
  if (own.btf.kind(pointee.id) !== KIND_STRUCT) return no(`in ${ownName}() is not a pointer to context`);
  if (target.btf.kind(targetPointee.id) !== KIND_STRUCT) return no(`in ${targetName}() is not a pointer to context`);
  const struct = own.btf.typeName(pointee.id);
  const targetStruct = target.btf.typeName(targetPointee.id);
  if (struct === targetStruct) return true;
  return no(`${ownName}(struct ${struct} *) doesn't match ${targetName}(struct ${targetStruct} *)`);
}

/** Compares the program's own function with the FUNC `targetId`; what differs is in the log. */
export function matchesFunction(env: Env, targetBtf: Btf, targetId: number): boolean {
  const { btf } = env;
  const no = (sentence: string): false => {
    env.log.write(`${sentence}\n`);
    return false;
  };
  if (btf === null || !env.hasFuncInfo) return no('Program extension requires BTF');
  const id = env.subprograms[0]!.typeId;
  const name = btf.typeName(id);
  const targetName = targetBtf.typeName(targetId);
  if (btf.linkage(id) !== LINKAGE_GLOBAL) return no(`${name}() is not a global function`);
  if (targetBtf.linkage(targetId) !== LINKAGE_GLOBAL) return no(`${targetName}() is not a global function`);
  const own = { btf, id: btf.sizeOrType(id) };
  const target = { btf: targetBtf, id: targetBtf.sizeOrType(targetId) };
  const count = btf.vlen(own.id);
  const targetCount = targetBtf.vlen(target.id);
  if (count !== targetCount) return no(`${name}() has ${count} args while ${targetName}() has ${targetCount} args`);
  const result = behindModifiers(own, btf.sizeOrType(own.id));
  const targetResult = behindModifiers(target, targetBtf.sizeOrType(target.id));
  if (!sameInfo(result, targetResult)) {
    const kinds = [kindName(btf, result.id), kindName(targetBtf, targetResult.id)] as const;
    return no(`Return type ${kinds[0]} of ${name}() doesn't match type ${kinds[1]} of ${targetName}()`);
  }
  for (let i = 0; i < count; i++) {
    const argument = behindModifiers(own, btf.paramType(own.id, i));
    const targetArgument = behindModifiers(target, targetBtf.paramType(target.id, i));
    if (!matchesArgument(env, i, argument, targetArgument, [name, targetName])) return false;
  }
  return true;
}
