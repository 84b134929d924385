/** Resolves `.ksyms` externs against a kernel: addresses of untyped ones, BTF ids of typed ones (resolve_externs, libbpf 1.5). */
import type { Btf } from '../btf/btf.js';
import * as kind from '../btf/kinds.js';
import { essentialLength } from '../btf/names.js';
import { libbpfKindName } from '../btf/print.js';
import type { Budget } from '../core/budget.js';
import { typesCompatible } from '../core/compatible.js';
import type { KernelModule } from '../targets/modules.js';
import { EINVAL, ESRCH, refuse } from './failure.js';
import type { LoaderProfile } from './loader-profile.js';
import type { Extern, Refusal } from './model.js';

/**
 * Resolves what can be, and refuses objects whose strong externs cannot. `functionModules` gets the modules of functions,
 * in libbpf's order.
 */
export function resolveKernelSymbols(
  externs: readonly Extern[],
  btf: Btf,
  profile: LoaderProfile,
  budget: Budget,
  functionModules: KernelModule[],
): Refusal | null {
  const symbols = externs.filter((one) => one.kconfig === null);
  // Once any extern is untyped, libbpf reads all symbols, and gives typed variables their addresses too.
  if (symbols.some((one) => one.typeId === 0)) {
    const refusal = resolveAddresses(symbols, profile);
    if (refusal !== null) return refusal;
  }
  for (const one of symbols) {
    if (one.typeId === 0) continue;
    const refusal = one.isFunction
      ? resolveFunction(one, btf, profile, budget, functionModules)
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

/** Addresses of all variables; libbpf stops at the first line of /proc/kallsyms that tells another one of the same name. */
function resolveAddresses(externs: readonly Extern[], profile: LoaderProfile): Refusal | null {
  let ambiguous: { readonly name: string; readonly first: bigint; readonly second: bigint } | null = null;
  for (const extern of externs) {
    const address = extern.isFunction ? null : profile.symbols.address(extern.name);
    if (address === null) continue;
    extern.isSet = true;
    extern.address = address;
    const other = profile.symbols.otherAddress(extern.name);
    if (other === null) continue;
    const second = joined(other);
    if (ambiguous === null || second < ambiguous.second) {
      ambiguous = { name: extern.name, first: joined(address), second };
    }
  }
  if (ambiguous === null) return null;
  const { name, first, second } = ambiguous;
  const message = `extern (ksym) '${name}': resolution is ambiguous: 0x${first.toString(16)} or 0x${second.toString(16)}`;
  return refuse('EXTERN_AMBIGUOUS', message, EINVAL, { symbol: name });
}

function joined([high, low]: readonly [number, number]): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

function resolveVariable(extern: Extern, btf: Btf, profile: LoaderProfile, budget: Budget): Refusal | null {
  const { name, typeId } = extern;
  const bad = (code: string, message: string): Refusal =>
    refuse(code, `extern (var ksym) '${name}': ${message}`, EINVAL, { symbol: name });
  const found = findInKernel(profile, name, kind.KIND_VAR);
  if (found === null) return extern.isWeak ? null : bad('EXTERN_NOT_FOUND', 'not found in kernel BTF');
  const { id, btf: kernel } = found;
  const kernelType = kernel.skipModifiers(kernel.sizeOrType(id));
  if (typesCompatible(btf, typeId, kernel, kernelType, budget) <= 0) {
    const expected = describe(btf, typeId);
    const message = `incompatible types, expected ${expected}, but kernel has ${describe(kernel, kernelType)}`;
    return bad('EXTERN_INCOMPATIBLE', message);
  }
  extern.isSet = true;
  extern.kernelId = id;
  extern.moduleNumber = found.moduleNumber;
  return null;
}

interface Found {
  readonly btf: Btf;
  readonly id: number;
  /** From 1; 0 for the kernel itself. */
  readonly moduleNumber: number;
}

/** The kernel's own variable or function of that name, or else the first module's. */
function findInKernel(profile: LoaderProfile, name: string, wanted: number): Found | null {
  const id = profile.btf.find(name, wanted);
  if (id !== 0) return { btf: profile.btf, id, moduleNumber: 0 };
  for (const [i, { btf }] of profile.modules.entries()) {
    const own = btf.findOwn(name, wanted);
    if (own !== 0) return { btf, id: own, moduleNumber: i + 1 };
  }
  return null;
}

function describe(btf: Btf, id: number): string {
  return `[${id}] ${libbpfKindName(btf.kind(id))} ${btf.typeName(id)}`;
}

function resolveFunction(
  extern: Extern,
  btf: Btf,
  profile: LoaderProfile,
  budget: Budget,
  functionModules: KernelModule[],
): Refusal | null {
  const { name, typeId } = extern;
  const bad = (code: string, message: string): Refusal =>
    refuse(code, `extern (func ksym) '${name}': ${message}`, EINVAL, { symbol: name });
  const found = findInKernel(profile, name.slice(0, essentialLength(name)), kind.KIND_FUNC);
  if (found === null) return extern.isWeak ? null : bad('EXTERN_NOT_FOUND', 'not found in kernel or module BTFs');
  const { btf: kernel, moduleNumber } = found;
  const prototype = kernel.sizeOrType(found.id);
  if (typesCompatible(btf, typeId, kernel, prototype, budget) <= 0) {
    if (extern.isWeak) return null;
    return bad('EXTERN_INCOMPATIBLE', `func_proto [${typeId}] incompatible with ${kernel.name} [${prototype}]`);
  }
  extern.isSet = true;
  extern.kernelId = found.id;
  extern.moduleNumber = moduleNumber;
  if (moduleNumber > 0) {
    const module = profile.modules[moduleNumber - 1]!;
    if (!functionModules.includes(module)) functionModules.push(module);
    extern.callOffset = functionModules.indexOf(module) + 1;
  }
  return null;
}
