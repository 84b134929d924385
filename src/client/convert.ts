/** JSON as the service writes and reads it, and the messages of this client: bytes instead of base64, every member there. */
import { FIRST, MESSAGES } from './generated/messages.js';

type Json = Readonly<Record<string, unknown>>;
type MessageName = keyof typeof MESSAGES;
type Member = readonly [name: string, kind: string, label?: string];

const membersOf = (message: string): readonly Member[] => MESSAGES[message as MessageName];
const isMessage = (kind: string): boolean => Object.hasOwn(MESSAGES, kind);

/** An answer, with the defaults that JSON leaves out. What a newer service says beyond this contract is left out, too. */
export function fromJson<T>(message: MessageName, json: unknown): T {
  return read(message, json as Json) as T;
}

/** A request; members that are undefined are left out. */
export function toJson(message: MessageName, value: object): Json {
  const out: Record<string, unknown> = {};
  for (const [name, kind, label] of membersOf(message)) {
    const member = (value as Json)[name];
    if (member === undefined) continue;
    if (label === 'repeated') out[name] = (member as readonly unknown[]).map((item) => writeOne(kind, item));
    else if (label === 'map') out[name] = mapValues(member as Json, (item) => writeOne(kind, item));
    else out[name] = writeOne(kind, member);
  }
  return out;
}

function read(message: string, json: Json): Json {
  const out: Record<string, unknown> = {};
  for (const [name, kind, label] of membersOf(message)) {
    const value = json[name];
    if (label === 'repeated') out[name] = ((value ?? []) as readonly unknown[]).map((item) => readOne(kind, item));
    else if (label === 'map') out[name] = mapValues((value ?? {}) as Json, (item) => readOne(kind, item));
    else if (value !== undefined) out[name] = readOne(kind, value);
    else if (label !== 'optional') out[name] = absent(kind);
  }
  return out;
}

function readOne(kind: string, value: unknown): unknown {
  if (kind === 'bytes') return fromBase64(value as string);
  return isMessage(kind) ? read(kind, value as Json) : value;
}

function writeOne(kind: string, value: unknown): unknown {
  if (kind === 'bytes') return toBase64(value as Uint8Array);
  if (kind === 'long') return String(value);
  return isMessage(kind) ? toJson(kind as MessageName, value as object) : value;
}

function absent(kind: string): unknown {
  if (kind.startsWith('enum ')) return FIRST[kind.slice(5) as keyof typeof FIRST];
  return { string: '', number: 0, boolean: false, long: '0', bytes: new Uint8Array(0) }[kind];
}

function mapValues(map: Json, convert: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, convert(value)]));
}

/** Bytes that are handed to String.fromCharCode at a time. */
const CHUNK = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
