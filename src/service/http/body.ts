/** The four kinds of request bodies of POST /compile, as one message. */
import type { FastifyRequest } from 'fastify';
import type { CompileRequestMessage } from '../contract/messages.js';
import { capabilitiesFromNames } from '../contract/capabilities.js';
import { cpuFromText, factOf, UNNAMED_CPU_FEATURES } from '../contract/cpu.js';
import { messageFromValue, requestFromJson, requestFromProtobuf } from '../contract/request.js';
import { CompileRequestType } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import { FORM_TYPE, readForm, type Form } from './form.js';

export const OBJECT_TYPE = 'application/octet-stream';
/** What `curl --data-binary` says of any file: taken as an object. */
const CURL_DEFAULT = 'application/x-www-form-urlencoded';

export const BODY_TYPES = [
  'application/json',
  'application/x-protobuf',
  'application/protobuf',
  'application/octet-stream',
  CURL_DEFAULT,
];

/** The media type without parameters; one name for objects. */
export function mediaType(request: FastifyRequest): string {
  const header = request.headers['content-type'] ?? '';
  const end = header.indexOf(';');
  const type = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
  return type === CURL_DEFAULT ? OBJECT_TYPE : type;
}

/** `query`: what stands in the query beside an object. Throws ServiceError. */
export async function readRequest(
  request: FastifyRequest,
  query = request.query as Query,
): Promise<CompileRequestMessage> {
  const type = mediaType(request);
  if (type === FORM_TYPE) return fromMultipart(request, query);
  if (!Buffer.isBuffer(request.body)) throw new ServiceError('MALFORMED_BODY', 'the request has no body');
  if (type === 'application/json') return requestFromJson(request.body);
  if (type === OBJECT_TYPE) {
    refuseText(request, request.body);
    return fromObject(request.body, query);
  }
  return requestFromProtobuf(request.body);
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What may stand in the query beside an object, as members of the request. */
const QUERY: Readonly<Record<string, (text: string) => Record<string, unknown>>> = {
  kernel: (kernel) => ({ target: { kernel } }),
  btfDigest: (btfDigest) => ({ target: { btfDigest } }),
  cpu: (text) => ({ target: { cpu: cpuFromText(text) } }),
  ...Object.fromEntries(
    UNNAMED_CPU_FEATURES.map((name) => [name, (text) => ({ target: { cpu: { [name]: factOf(text) } } })]),
  ),
  logLevel: (logLevel) => ({ options: { logLevel } }),
  legacyMaps: (text) => ({ options: { legacyMaps: factOf(text) } }),
  capabilities: (text) => ({ options: { capabilities: capabilitiesFromNames(text) } }),
  attachProgram: (name) => ({ attachProgram: { name } }),
  attachFunction: (fn) => ({ attachProgram: { function: fn } }),
};

/** JSON that curl sent with its default type: that it is no object says little to who forgot to name the type. */
function refuseText(request: FastifyRequest, body: Buffer): void {
  if (!request.headers['content-type']?.toLowerCase().startsWith(CURL_DEFAULT) || body[0] !== 0x7b) return;
  throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'this looks like JSON: send it with content-type: application/json');
}

function fromObject(object: Buffer, query: Query): CompileRequestMessage {
  const message = fromQuery(query);
  return { ...message, object };
}

function fromQuery(query: Query): CompileRequestMessage {
  let json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (name === 'programs') {
      json['programs'] = [value]
        .flat()
        .flatMap((list) => list.split(','))
        .filter((program) => program !== '');
      continue;
    }
    if (name === 'target') {
      json['targets'] = [value].flat().map((kernel) => ({ kernel }));
      continue;
    }
    const read = Object.hasOwn(QUERY, name) ? QUERY[name] : undefined;
    const place = `query.${name.slice(0, 60)}`;
    if (read === undefined) throw new ServiceError('INVALID_FIELD', `${place}: unknown parameter`, { field: place });
    if (typeof value !== 'string')
      throw new ServiceError('INVALID_FIELD', `${place}: is given twice`, { field: place });
    json = merge(json, read(value));
  }
  return messageFromValue(CompileRequestType, json);
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>): Record<string, unknown> {
  const out = { ...into };
  for (const [key, value] of Object.entries(from)) {
    const old = out[key];
    out[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return out;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Files `object`, `btf` and `attachObject`, and the parameters of the query as fields. */
async function fromMultipart(request: FastifyRequest, query: Query): Promise<CompileRequestMessage> {
  const form = await readForm(request);
  const files: { object?: Buffer; btf?: Buffer; attachObject?: Buffer } = {};
  for (const [name, content] of form.files) {
    const field = name.slice(0, 60);
    if (name !== 'object' && name !== 'btf' && name !== 'attachObject') {
      throw new ServiceError('INVALID_FIELD', `${field}: files are named object, btf and attachObject`, { field });
    }
    if (files[name] !== undefined) throw new ServiceError('INVALID_FIELD', `${field}: is given twice`, { field });
    files[name] = content;
  }
  const message = fromQuery(withFields(query, form.fields));
  // An upload form sends an empty file where none was chosen.
  const btf = files.btf?.length === 0 ? undefined : files.btf;
  const attach = files.attachObject?.length === 0 ? undefined : files.attachObject;
  return {
    ...message,
    ...(files.object === undefined ? {} : { object: files.object }),
    ...(btf === undefined ? {} : { target: { ...message.target, btf } }),
    ...(attach === undefined ? {} : { attachProgram: { ...message.attachProgram, object: attach } }),
  };
}

function withFields(query: Query, fields: Form['fields']): Query {
  const all = new Map(Object.entries(query));
  for (const [name, value] of fields) {
    if (value === '') continue; // an empty input of a form
    const old = all.get(name);
    all.set(name, old === undefined ? value : [old, value].flat());
  }
  return Object.fromEntries(all);
}
