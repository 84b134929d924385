/** Values of `.kconfig` externs: the target's configuration, and what libbpf itself knows of the kernel. */
import type { ByteOrder } from '../bytes/byte-order.js';
import { EINVAL, ERANGE, refuse } from './failure.js';
import { hasAttachCookies } from './kernel-features.js';
import type { LoaderProfile } from './loader-profile.js';
import type { Extern, KconfigExtern, ObjectMap, Refusal } from './model.js';

/** enum libbpf_tristate, and its size. */
const TRISTATE_BYTES = 4;
const TRISTATE: ReadonlyMap<string, bigint> = new Map([
  ['n', 0n],
  ['y', 1n],
  ['m', 2n],
]);

/** The configuration's map while it is filled. */
interface Contents {
  readonly bytes: Uint8Array;
  /** Of the numbers in it. */
  readonly order: ByteOrder;
}

/** Writes the values into the configuration's map and marks what it found; null, or what libbpf refuses the object for. */
export function fillKconfig(
  externs: readonly Extern[],
  map: ObjectMap | null,
  profile: LoaderProfile,
  capabilities: number,
): Refusal | null {
  const known = new Set<string>();
  for (const extern of externs) {
    if (extern.kconfig === null || map === null) continue;
    const contents = { bytes: map.contents!, order: profile.byteOrder };
    const refusal = extern.name.startsWith('CONFIG_')
      ? fillConfigured(extern, extern.kconfig, contents, profile, known)
      : fillVirtual(extern, extern.kconfig, contents, profile, capabilities);
    if (refusal !== null) return refusal;
  }
  return null;
}

function bad(extern: Extern, message: string, errno = EINVAL): Refusal {
  return refuse('KCONFIG_VALUE', `extern (kcfg) '${extern.name}': ${message}`, errno, { symbol: extern.name });
}

/** libbpf fills the first extern of a name only. */
function fillConfigured(
  extern: Extern,
  kconfig: KconfigExtern,
  contents: Contents,
  profile: LoaderProfile,
  known: Set<string>,
): Refusal | null {
  const value = profile.config.get(extern.name);
  if (value === undefined || known.has(extern.name)) return null;
  known.add(extern.name);
  if (value.startsWith('"')) return fillString(extern, kconfig, contents, value);
  if (/^[ynm]/.test(value)) return fillTristate(extern, kconfig, contents, value.charAt(0));
  const number = parseInteger(value);
  if (number === null) return bad(extern, `value '${value}' isn't a valid integer`);
  if (kconfig.type !== 'int' && kconfig.type !== 'char') return bad(extern, `value '${value}' implies integer type`);
  return fillNumber(extern, kconfig, contents, number);
}

/** What libbpf answers without the configuration. */
function fillVirtual(
  extern: Extern,
  kconfig: KconfigExtern,
  contents: Contents,
  profile: LoaderProfile,
  capabilities: number,
): Refusal | null {
  switch (extern.name) {
    case 'LINUX_KERNEL_VERSION':
      return fillNumber(extern, kconfig, contents, kernelVersion(profile.release));
    case 'LINUX_HAS_BPF_COOKIE':
      return fillNumber(extern, kconfig, contents, hasAttachCookies(capabilities) ? 1n : 0n);
    case 'LINUX_HAS_SYSCALL_WRAPPER':
      return fillNumber(extern, kconfig, contents, 1n);
    default:
      if (!extern.name.startsWith('LINUX_') || !extern.isWeak) return bad(extern, 'unrecognized virtual extern');
      return fillNumber(extern, kconfig, contents, 0n);
  }
}

/** KERNEL_VERSION() of a release such as `6.12.117+deb12`: the last part is capped at 255. */
export function kernelVersion(release: string): bigint {
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release)?.slice(1) ?? []).map(Number);
  return BigInt(major * 65536 + minor * 256 + Math.min(patch || 0, 255));
}

function fillTristate(extern: Extern, kconfig: KconfigExtern, contents: Contents, value: string): Refusal | null {
  const { offset, type } = kconfig;
  switch (type) {
    case 'bool':
      if (value === 'm') return bad(extern, `value 'm' implies tristate or char type`);
      contents.bytes[offset] = value === 'y' ? 1 : 0;
      break;
    case 'tristate':
      writeNumber(contents, offset, TRISTATE_BYTES, TRISTATE.get(value) ?? 0n);
      break;
    case 'char':
      contents.bytes[offset] = value.charCodeAt(0);
      break;
    default:
      return bad(extern, `value '${value}' implies bool, tristate, or char type`);
  }
  extern.isSet = true;
  return null;
}

function fillString(extern: Extern, kconfig: KconfigExtern, contents: Contents, value: string): Refusal | null {
  if (kconfig.type !== 'chars') return bad(extern, `value '${value}' implies char array type`);
  if (value.length < 2 || !value.endsWith('"')) return bad(extern, `invalid string config '${value}'`);
  const text = value.slice(1, -1).slice(0, kconfig.size - 1);
  for (let i = 0; i < text.length; i++) contents.bytes[kconfig.offset + i] = text.charCodeAt(i);
  contents.bytes[kconfig.offset + text.length] = 0;
  extern.isSet = true;
  return null;
}

/** A C integer: decimal, 0x… or 0…; taken modulo 2^64 as strtoull does with a sign; null for anything else. */
function parseInteger(text: string): bigint | null {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(text);
  if (match === null) return null;
  const digits = match[2]!;
  const isOctal = digits.length > 1 && /^0[0-7]+$/.test(digits);
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (value >> 64n !== 0n) return null;
  return match[1] === '-' ? BigInt.asUintN(64, -value) : value;
}

function fillNumber(extern: Extern, kconfig: KconfigExtern, contents: Contents, value: bigint): Refusal | null {
  const { type, size, offset } = kconfig;
  if (type !== 'int' && type !== 'char' && type !== 'bool') {
    return bad(extern, `value '${value}' implies integer, char, or boolean type`);
  }
  if (type === 'bool' && value > 1n) return bad(extern, `value '${value}' isn't boolean compatible`);
  if (!isInRange(kconfig, value)) return bad(extern, `value '${value}' doesn't fit in ${size} bytes`, ERANGE);
  writeNumber(contents, offset, size, value);
  extern.isSet = true;
  return null;
}

function isInRange({ size, isSigned }: KconfigExtern, value: bigint): boolean {
  if (size === 8) return true;
  const bits = BigInt(size * 8);
  if (!isSigned) return value >> bits === 0n;
  return BigInt.asUintN(64, value + (1n << (bits - 1n))) < 1n << bits;
}

/** Writes the low `size` bytes of a number. */
function writeNumber({ bytes, order }: Contents, offset: number, size: number, value: bigint): void {
  for (let i = 0; i < size; i++) bytes[offset + i] = Number((value >> BigInt(order.bitsBelow(i, 1, size))) & 0xffn);
}
