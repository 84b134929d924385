/**
 * The canonical proto3 JSON mapping, reading side, as strict as the specification allows: unknown and repeated fields,
 * wrong types, numbers out of range and bad base64 are refused, and the refusal names the place as a path
 * (`program.maps[2].keySize`).
 *
 * Source: https://protobuf.dev/programming-guides/json/
 */
import Long from 'long';
import type protobuf from 'protobufjs';
import { membersOf, type Member } from './members.js';
import type { Message } from './schema.js';

/** Deeper nesting than any sensible request has (inner maps nest). */
const MAX_DEPTH = 32;

/** What is wrong with a request, and where. */
export class BadField extends Error {
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(path === '' ? reason : `${path}: ${reason}`);
  }
}

/** Reads a parsed JSON value as a message; members with default values are left out. Throws BadField. */
export function readJson(type: protobuf.Type, value: unknown, path = '', depth = 0): Message {
  if (depth > MAX_DEPTH) throw new BadField(path, `is nested deeper than ${MAX_DEPTH} levels`);
  const object = asObject(value, path);
  const out: Message = {};
  const chosen = new Map<protobuf.OneOf, string>();
  const names = memberNames(type);
  for (const key of Object.keys(object)) {
    const found = names.get(key);
    const place = join(path, key);
    if (found === undefined) throw new BadField(place, 'unknown field');
    const { field, name } = found;
    if (Object.hasOwn(out, name)) throw new BadField(place, 'field is given twice, by both of its names');
    const member = object[key];
    if (member === null || member === undefined) continue;
    if (field.partOf && !field.options?.['proto3_optional']) {
      const other = chosen.get(field.partOf);
      if (other !== undefined) throw new BadField(place, `cannot be given together with ${other}`);
      chosen.set(field.partOf, key);
    }
    const read = readMember(found, member, place, depth);
    if (found.hasPresence || !isDefault(found, read)) out[name] = read;
  }
  return out;
}

const NAMES = new WeakMap<protobuf.Type, ReadonlyMap<string, Member>>();

/** Both spellings that JSON may use: lowerCamelCase, and the name in the .proto file. */
function memberNames(type: protobuf.Type): ReadonlyMap<string, Member> {
  let names = NAMES.get(type);
  if (names === undefined) {
    const all = new Map<string, Member>();
    for (const member of membersOf(type)) {
      all.set(member.name, member);
      all.set(member.field.protoName ?? member.name, member);
    }
    NAMES.set(type, (names = all));
  }
  return names;
}

function readMember(member: Member, value: unknown, path: string, depth: number): unknown {
  if (member.isMap) {
    const out = Object.create(null) as Message;
    const object = asObject(value, path);
    for (const key of Object.keys(object)) out[key] = readSingle(member, object[key], `${path}[${quote(key)}]`, depth);
    return out;
  }
  if (member.isRepeated) {
    if (!Array.isArray(value)) throw new BadField(path, `expected an array, not ${kindOf(value)}`);
    return value.map((item: unknown, i) => readSingle(member, item, `${path}[${i}]`, depth));
  }
  return readSingle(member, value, path, depth);
}

function readSingle({ message, enumeration, field }: Member, value: unknown, path: string, depth: number): unknown {
  if (message !== null) return readJson(message, value, path, depth + 1);
  if (enumeration !== null) return readEnum(enumeration, value, path);
  switch (field.type) {
    case 'string':
      return readString(value, path);
    case 'bytes':
      return readBytes(value, path);
    case 'bool':
      if (typeof value !== 'boolean') throw new BadField(path, `expected true or false, not ${kindOf(value)}`);
      return value;
    default:
      return readInteger(field.type, value, path);
  }
}

function readString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new BadField(path, `expected a string, not ${kindOf(value)}`);
  if (/\p{Surrogate}/u.test(value)) throw new BadField(path, 'holds half of a surrogate pair');
  return value;
}

/** What is no letter of either base64 alphabet; a search, so that megabytes of text cost no stack. */
const NOT_BASE64 = /[^A-Za-z0-9+/_-]/;

/** Whole groups of four letters, or a last group of two or three with its padding written or left out. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const letters = text.length - padding;
  if (letters % 4 === 1 || (padding > 0 && (letters + padding) % 4 !== 0)) return false;
  return !NOT_BASE64.test(padding > 0 ? text.slice(0, letters) : text);
}

function readBytes(value: unknown, path: string): Buffer {
  if (typeof value !== 'string') throw new BadField(path, `expected base64 text, not ${kindOf(value)}`);
  if (!isBase64(value)) throw new BadField(path, 'is not base64');
  return Buffer.from(value, 'base64');
}

/** For who left out what all of an enumeration's names begin with: `XDP`. */
function meant(type: protobuf.Enum, value: string): string {
  const ending = `_${value.toUpperCase()}`;
  const [name, another] = value === '' ? [] : Object.keys(type.values).filter((one) => one.endsWith(ending));
  return name === undefined || another !== undefined ? '' : `; ${name} is`;
}

function readEnum(type: protobuf.Enum, value: unknown, path: string): number {
  if (typeof value === 'string') {
    const known = Object.hasOwn(type.values, value) ? type.values[value] : undefined;
    if (known === undefined) throw new BadField(path, `${quote(value)} is no ${type.name}${meant(type, value)}`);
    return known;
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > 0x7fffffff) {
    throw new BadField(path, `expected the name or number of a ${type.name}, not ${kindOf(value)}`);
  }
  return value;
}

const RANGE: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(1n << 31n), (1n << 31n) - 1n],
  uint32: [0n, (1n << 32n) - 1n],
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  uint64: [0n, (1n << 64n) - 1n],
};

function readInteger(type: string, value: unknown, path: string): number | Long {
  const range = RANGE[type];
  if (range === undefined) throw new Error(`proto/ uses ${type}, which readJson does not read`);
  const exact = exactInteger(value);
  if (exact === null) throw new BadField(path, `expected a whole number, not ${kindOf(value)}`);
  if (exact < range[0] || exact > range[1]) throw new BadField(path, `${exact} is out of range for ${type}`);
  if (type.endsWith('32')) return Number(exact);
  return Long.fromString(exact.toString(), type === 'uint64');
}

function exactInteger(value: unknown): bigint | null {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : null;
  if (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)) return BigInt(value);
  return null;
}

function isDefault({ isMap }: Member, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isMap) return Object.keys(value as object).length === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (Long.isLong(value)) return value.isZero();
  return value === 0 || value === '' || value === false;
}

function asObject(value: unknown, path: string): Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadField(path, `expected an object, not ${kindOf(value)}`);
  }
  return value as Message;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** As JSON text, and never long: what the client sent is not repeated at length. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function join(path: string, key: string): string {
  const shown = /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key.slice(0, 60) : quote(key);
  return path === '' ? shown : `${path}.${shown}`;
}
