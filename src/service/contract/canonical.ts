/** One form for each request, whichever encoding it came in, so that equal requests have equal digests. */
import Long from 'long';
import type protobuf from 'protobufjs';
import { membersOf, type Member } from './members.js';
import type { Message } from './schema.js';

/** Nesting that decoding and normalising accept. */
const MAX_DEPTH = 32;

/** The message without members that have default values, map entries in the order of their keys. Null: too deep. */
export function canonical(type: protobuf.Type, message: Message, depth = 0): Message | null {
  if (depth > MAX_DEPTH) return null;
  const out: Message = {};
  for (const each of membersOf(type)) {
    if (!Object.hasOwn(message, each.name)) continue;
    const value = member(each, message[each.name], depth);
    if (value === null) return null;
    if (value !== undefined) out[each.name] = value;
  }
  return out;
}

/** Undefined where the member is left out, null where it nests too deeply. */
function member({ message, isMap, isRepeated, hasPresence }: Member, value: unknown, depth: number): unknown {
  if (value === undefined || value === null) return undefined;
  if (isMap) return sortedMap(value as Message, message, depth);
  if (isRepeated) {
    const items = value as readonly unknown[];
    if (items.length === 0) return undefined;
    return message === null ? items : allOrNull(items.map((item) => canonical(message, item as Message, depth + 1)));
  }
  if (message !== null) return canonical(message, value as Message, depth + 1);
  return hasPresence || !isDefault(value) ? value : undefined;
}

function sortedMap(map: Message, nested: protobuf.Type | null, depth: number): unknown {
  const keys = Object.keys(map).sort();
  if (keys.length === 0) return undefined;
  const out = Object.create(null) as Message;
  for (const key of keys) {
    const value = nested === null ? map[key] : canonical(nested, map[key] as Message, depth + 1);
    if (value === null) return null;
    out[key] = value;
  }
  return out;
}

function allOrNull<T>(items: readonly (T | null)[]): readonly (T | null)[] | null {
  return items.includes(null) ? null : items;
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  if (Long.isLong(value)) return value.isZero();
  return value === 0 || value === '' || value === false;
}
