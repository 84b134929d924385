/** The kinds of bodies that requests have, as sources for the intake. */
import type { FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.js';
import { codingOf } from '../intake/coding.js';
import type { Body, EncodedMessage, Query, RequestSource } from '../intake/source.js';
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

/** The body as it came. Throws ServiceError MALFORMED_BODY where there is none. */
export function bodyOf(request: FastifyRequest): Body {
  const { body, headers, routeOptions } = request;
  if (!Buffer.isBuffer(body)) throw new ServiceError('MALFORMED_BODY', 'the request has no body');
  const coding = codingOf(headers['content-encoding'] ?? '') ?? null;
  return { bytes: body, coding, limit: routeOptions.bodyLimit ?? 0 };
}

/** A request in any of the forms that a route takes: a message, an object, or a form. Throws ServiceError. */
export async function sourceOf(
  request: FastifyRequest,
  message: Exclude<EncodedMessage, 'BatchRequest'>,
): Promise<RequestSource> {
  const type = mediaType(request);
  const query = request.query as Query;
  if (type === FORM_TYPE) return fromForm(request, await readForm(request), message);
  const body = bodyOf(request);
  if (type === 'application/json') return { kind: 'json', message, body };
  if (type !== OBJECT_TYPE) return { kind: 'protobuf', message, body };
  refuseText(request, body);
  return { kind: 'files', message, query, object: body, btf: null, attachObject: null };
}

/** JSON that curl sent with its default type: that it is no object says little to who forgot to name the type. */
function refuseText(request: FastifyRequest, { bytes }: Body): void {
  if (!request.headers['content-type']?.toLowerCase().startsWith(CURL_DEFAULT) || bytes[0] !== 0x7b) return;
  throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'this looks like JSON: send it with content-type: application/json');
}

/** Files `object`, `btf` and `attachObject`, and the parameters of the query as fields. */
function fromForm(request: FastifyRequest, form: Form, message: 'CompileRequest' | 'SubmitJobRequest'): RequestSource {
  const files: { object?: Buffer; btf?: Buffer; attachObject?: Buffer } = {};
  for (const [name, content] of form.files) {
    const field = name.slice(0, 60);
    if (name !== 'object' && name !== 'btf' && name !== 'attachObject') {
      throw new ServiceError('INVALID_FIELD', `${field}: files are named object, btf and attachObject`, { field });
    }
    if (files[name] !== undefined) throw new ServiceError('INVALID_FIELD', `${field}: is given twice`, { field });
    files[name] = content;
  }
  const limit = request.routeOptions.bodyLimit ?? 0;
  return {
    kind: 'files',
    message,
    query: withFields(request.query as Query, form.fields),
    object: files.object === undefined ? null : { bytes: files.object, coding: null, limit },
    // An upload form sends an empty file where none was chosen.
    btf: chosen(files.btf),
    attachObject: chosen(files.attachObject),
  };
}

function chosen(file: Buffer | undefined): Buffer | null {
  return file === undefined || file.length === 0 ? null : file;
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
