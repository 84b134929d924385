/** Resolves `.ksyms` externs against a kernel: addresses of untyped ones, BTF ids of typed ones (resolve_externs, libbpf 1.5). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { essentialLength } from '../btf/names.js';
import { libbpfKindName } from '../btf/print.js';
import type { Budget } from '../core/budget.js';
import { typesCompatible } from '../core/compatible.js';
import type { Profile } from '../targets/profile.js';
import { EINVAL, ESRCH, refuse } from './failure.js';
import type { Extern, Refusal } from './model.js';

/** Resolves what can be, and refuses objects whose strong externs cannot. */
export function resolveKernelSymbols(
  externs: readonly Extern[],
  btf: Btf,
  profile: Profile,
  budget: Budget,
): Refusal | null {
  const symbols = externs.filter((one) => one.kconfig === null);
  // Once any extern is untyped, libbpf reads all symbols, and gives typed variables their addresses too.
  if (symbols.some((one) => one.typeId === 0)) for (const one of symbols) resolveAddress(one, profile);
  for (const one of symbols) {
    if (one.typeId === 0) continue;
    const refusal = one.isFunction
      ? resolveFunction(one, btf, profile, budget)
      : resolveVariable(one, btf, profile, budget);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Refuses an object with a strong extern that nothing has set. */
export function checkStrongExterns(externs: readonly Extern[]): Refusal | null {
  const missing = externs.find((one) => !one.isSet && !one.isWeak);
  if (missing === undefined) return null;
  const message = `extern '${missing.name}' (strong): not resolved`;
  return refuse('EXTERN_NOT_FOUND', message, ESRCH, { symbol: missing.name });
}

function resolveAddress(extern: Extern, profile: Profile): void {
  const address = extern.isFunction ? null : profile.symbols.address(extern.name);
  if (address === null) return;
  extern.isSet = true;
  extern.address = address;
}

function resolveVariable(extern: Extern, btf: Btf, profile: Profile, budget: Budget): Refusal | null {
  const { name, typeId } = extern;
  const bad = (code: string, message: string): Refusal =>
    refuse(code, `extern (var ksym) '${name}': ${message}`, EINVAL, { symbol: name });
  const id = profile.btf.find(name, kind.KIND_VAR);
  if (id === 0) return extern.isWeak ? null : bad('EXTERN_NOT_FOUND', 'not found in kernel BTF');
  const kernelType = profile.btf.skipModifiers(profile.btf.sizeOrType(id));
  if (typesCompatible(btf, typeId, profile.btf, kernelType, budget) <= 0) {
    const expected = describe(btf, typeId);
    const message = `incompatible types, expected ${expected}, but kernel has ${describe(profile.btf, kernelType)}`;
    return bad('EXTERN_INCOMPATIBLE', message);
  }
  extern.isSet = true;
  extern.kernelId = id;
  return null;
}

function describe(btf: Btf, id: number): string {
  return `[${id}] ${libbpfKindName(btf.kind(id))} ${btf.typeName(id)}`;
}

function resolveFunction(extern: Extern, btf: Btf, profile: Profile, budget: Budget): Refusal | null {
  const { name, typeId } = extern;
  const bad = (code: string, message: string): Refusal =>
    refuse(code, `extern (func ksym) '${name}': ${message}`, EINVAL, { symbol: name });
  const id = profile.btf.find(name.slice(0, essentialLength(name)), kind.KIND_FUNC);
  if (id === 0) return extern.isWeak ? null : bad('EXTERN_NOT_FOUND', 'not found in kernel or module BTFs');
  const prototype = profile.btf.sizeOrType(id);
  if (typesCompatible(btf, typeId, profile.btf, prototype, budget) <= 0) {
    if (extern.isWeak) return null;
    return bad('EXTERN_INCOMPATIBLE', `func_proto [${typeId}] incompatible with vmlinux [${prototype}]`);
  }
  extern.isSet = true;
  extern.kernelId = id;
  return null;
}
