/**
 * The canonical proto3 JSON mapping, writing side: lowerCamelCase, bytes as base64, 64-bit numbers as strings, enums by
 * name, defaults left out — except those a client reads a verdict from, which are always written.
 */
import Long from 'long';
import type protobuf from 'protobufjs';
import { membersOf, type Member } from './members.js';
import type { Message } from './schema.js';

/** Members that are written even when they have the default value, by the types' names. */
const ALWAYS: Readonly<Record<string, ReadonlySet<string>>> = {
  ProgramResult: new Set(['accepted', 'errno']),
  ProgramSummary: new Set(['accepted', 'errno']),
  VerdictGroup: new Set(['accepted', 'errno']),
  Job: new Set(['total', 'finished', 'failed']),
  JobItem: new Set(['index']),
};
const NONE: ReadonlySet<string> = new Set();

/** The JSON value of a decoded message; members in the order of their field numbers. */
export function writeJson(type: protobuf.Type, message: Message): Message {
  const out: Message = {};
  const always = ALWAYS[type.name] ?? NONE;
  for (const member of membersOf(type)) {
    const { name, field } = member;
    const value = Object.hasOwn(message, name) ? message[name] : undefined;
    if (value === undefined || value === null) {
      if (always.has(name)) out[name] = field.type === 'bool' ? false : 0;
      continue;
    }
    if (member.isMap) writeMap(out, member, value as Message);
    else if (member.isRepeated) writeRepeated(out, member, value as readonly unknown[]);
    else if (member.hasPresence || always.has(name) || !isDefault(value)) out[name] = single(member, value);
  }
  return out;
}

function writeMap(out: Message, member: Member, value: Message): void {
  const keys = Object.keys(value);
  if (keys.length === 0) return;
  const map = Object.create(null) as Message;
  for (const key of keys) map[key] = single(member, value[key]);
  out[member.name] = map;
}

function writeRepeated(out: Message, member: Member, value: readonly unknown[]): void {
  if (value.length > 0) out[member.name] = value.map((item) => single(member, item));
}

function single({ message, enumeration, field }: Member, value: unknown): unknown {
  if (message !== null) return writeJson(message, value as Message);
  if (enumeration !== null) return enumeration.valuesById[value as number] ?? value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (Long.isLong(value)) return value.toString();
  if (field.type === 'int64' || field.type === 'uint64') return String(value);
  return value;
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  if (Long.isLong(value)) return value.isZero();
  return value === 0 || value === '' || value === false;
}
