/** From what a client sent to checked, named requests: decoded, parsed, canonical. Pure; runs in this thread or in a worker. */
import { createHash } from 'node:crypto';
import type { CompileRequestMessage } from '../contract/messages.js';
import { checkRequest, messageFromJson, messageFromProtobuf, messageFromValue } from '../contract/request.js';
import { CompileRequestType, encode, messageType, SubmitJobRequestType, type Message } from '../contract/schema.js';
import { ServiceError, toWire } from '../errors.js';
import { atTarget, eachTarget } from '../many-targets.js';
import { decoded } from './coding.js';
import { fromQuery } from './query.js';
import type { Body, NamedBtf, Naming, Prepared, Query, ReadSource, RequestSource } from './source.js';

/** Bytes that the requests of one for several targets may have together. */
const MAX_TOGETHER = 256 * 1024 * 1024;

/** A message's requests, by the message's name, and what it says besides. */
type Opened = readonly [requests: readonly CompileRequestMessage[], envelope: Message];

/** What stands in the query of POST /jobs beside what POST /compile takes there. */
const JOB_QUERY = new Set(['priority', 'callbackUrl']);

/** Throws ServiceError. `maxRequests`: that one job may hold. */
export function readSource(source: RequestSource, naming: Naming, maxRequests: number): ReadSource {
  const [messages, envelope] = open(source);
  if (messages.length > maxRequests) {
    throw new ServiceError('INVALID_FIELD', `requests: holds more than ${maxRequests} requests`, { field: 'requests' });
  }
  if (source.message === 'BatchRequest') return batchItem(messages, envelope, naming);
  const several = source.message === 'SubmitJobRequest';
  const requests = messages.map((message, i) =>
    several ? within(`requests[${i}]`, () => prepare(message, naming)) : prepare(message, naming),
  );
  return { requests, envelope };
}

/** Its id is told also where its request is refused. */
function batchItem(messages: readonly CompileRequestMessage[], envelope: Message, naming: Naming): ReadSource {
  try {
    return { requests: messages.map((message) => prepare(message, naming)), envelope };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { requests: [], envelope, refused: toWire(error) };
  }
}

/** Checks a request and names it. Throws ServiceError. */
export function prepare(message: CompileRequestMessage, naming: Naming): Prepared {
  const request = checkRequest(message);
  const bytes = encode(CompileRequestType, request);
  if (request.targets !== undefined && bytes.length * request.targets.length > MAX_TOGETHER) {
    const detail = 'targets: so many requests of this size are more than is taken at a time';
    throw new ServiceError('INVALID_FIELD', detail, { field: 'targets' });
  }
  const each = (request.targets === undefined ? [] : eachTarget(request)).map((one, i) => {
    try {
      return prepare(one, naming);
    } catch (error) {
      throw atTarget(error, i);
    }
  });
  const targets =
    each.length === 0 ? [findTarget(naming.targets, request.target?.kernel ?? '')] : each.map(targetIn(naming));
  const digests = targets.map((target) => target.digest).join(' ');
  const digest = createHash('sha256').update(`${naming.buildId}\n${digests}\n`).update(bytes).digest('hex');
  return { bytes, digest, target: targets[0]!.name, named: namedBtf(request), each };
}

const targetIn =
  ({ targets }: Naming) =>
  ({ target }: Prepared): Naming['targets'][number] =>
    findTarget(targets, target);

/** By name, the default for ''. Throws ServiceError UNKNOWN_TARGET. */
function findTarget(targets: Naming['targets'], name: string): Naming['targets'][number] {
  const target = name === '' ? targets[0] : targets.find((one) => one.name === name);
  if (target !== undefined) return target;
  const known = targets.map((one) => one.name).join(', ');
  throw new ServiceError('UNKNOWN_TARGET', `the targets are: ${known}`, { field: 'target.kernel' });
}

function namedBtf({ target }: CompileRequestMessage): NamedBtf[] {
  const named: NamedBtf[] = [];
  if (target?.btfDigest !== undefined) named.push({ field: 'target.btfDigest', digest: target.btfDigest });
  target?.modules?.forEach(({ btfDigest }, i) => {
    if (btfDigest !== undefined) named.push({ field: `target.modules[${i}].btfDigest`, digest: btfDigest });
  });
  return named;
}

function open(source: RequestSource): Opened {
  if (source.kind === 'files') {
    if (source.message === 'CompileRequest') return [[fromFiles(source, source.query)], {}];
    const query = Object.entries(source.query);
    const own = Object.fromEntries(query.filter(([name]) => JOB_QUERY.has(name)));
    const others = Object.fromEntries(query.filter(([name]) => !JOB_QUERY.has(name)));
    const job = messageFromValue(SubmitJobRequestType, own);
    return [[fromFiles(source, others)], job];
  }
  const bytes = plain(source.body);
  const read = source.kind === 'json' ? messageFromJson : messageFromProtobuf;
  if (source.message === 'CompileRequest') return [[read(CompileRequestType, bytes)], {}];
  const message = read(messageType(`bpfjit.v1.${source.message}`), bytes);
  const { requests, request, ...envelope } = message;
  if (source.message === 'BatchRequest') return [[(request ?? {}) as CompileRequestMessage], envelope];
  return [(requests ?? []) as CompileRequestMessage[], envelope];
}

function fromFiles(
  { object, btf, attachObject }: Extract<RequestSource, { kind: 'files' }>,
  query: Query,
): CompileRequestMessage {
  const message = fromQuery(query);
  return {
    ...message,
    ...(object === null ? {} : { object: plain(object) }),
    ...(btf === null ? {} : { target: { ...message.target, btf } }),
    ...(attachObject === null ? {} : { attachProgram: { ...message.attachProgram, object: attachObject } }),
  };
}

function plain({ bytes, coding, limit }: Body): Uint8Array {
  return decoded(bytes, coding, limit);
}

function within<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { code, detail, place } = error;
    const field = place.field === undefined ? path : `${path}.${place.field}`;
    throw new ServiceError(code, `${path}: ${detail}`, { ...place, field });
  }
}
