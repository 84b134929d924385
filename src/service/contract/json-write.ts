/**
 * The canonical proto3 JSON mapping, writing side: lowerCamelCase, bytes as base64, 64-bit numbers as strings, enums by
 * name, defaults left out — except those a client reads a verdict from, which are always written.
 */
import Long from 'long';
import protobuf from 'protobufjs';
import type { Message } from './schema.js';

/** Members that are written even when they have the default value. */
const ALWAYS: Readonly<Record<string, ReadonlySet<string>>> = {
  '.bpfjit.v1.ProgramResult': new Set(['accepted', 'errno']),
  '.bpfjit.v1.ProgramSummary': new Set(['accepted', 'errno']),
  '.bpfjit.v1.Job': new Set(['total', 'finished', 'failed']),
  '.bpfjit.v1.JobItem': new Set(['index']),
};
const NONE: ReadonlySet<string> = new Set();

/** The JSON value of a decoded message; members in the order of their field numbers. */
export function writeJson(type: protobuf.Type, message: Message): Message {
  const out: Message = {};
  const always = ALWAYS[type.fullName] ?? NONE;
  for (const field of fieldsById(type)) {
    const value = Object.hasOwn(message, field.name) ? message[field.name] : undefined;
    if (value === undefined || value === null) {
      if (always.has(field.name)) out[field.name] = field.type === 'bool' ? false : 0;
      continue;
    }
    if (field instanceof protobuf.MapField) writeMap(out, field, value as Message);
    else if (field.repeated) writeRepeated(out, field, value as readonly unknown[]);
    else if (field.hasPresence || always.has(field.name) || !isDefault(value)) out[field.name] = single(field, value);
  }
  return out;
}

const FIELDS = new WeakMap<protobuf.Type, readonly protobuf.Field[]>();

function fieldsById(type: protobuf.Type): readonly protobuf.Field[] {
  let fields = FIELDS.get(type);
  if (fields === undefined) {
    fields = type.fieldsArray.map((field) => field.resolve()).sort((a, b) => a.id - b.id);
    FIELDS.set(type, fields);
  }
  return fields;
}

function writeMap(out: Message, field: protobuf.Field, value: Message): void {
  const keys = Object.keys(value);
  if (keys.length === 0) return;
  const map = Object.create(null) as Message;
  for (const key of keys) map[key] = single(field, value[key]);
  out[field.name] = map;
}

function writeRepeated(out: Message, field: protobuf.Field, value: readonly unknown[]): void {
  if (value.length > 0) out[field.name] = value.map((item) => single(field, item));
}

function single(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return writeJson(field.resolvedType, value as Message);
  if (field.resolvedType instanceof protobuf.Enum) return field.resolvedType.valuesById[value as number] ?? value;
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
