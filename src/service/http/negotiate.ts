/** Which encoding a client wants, from Accept (RFC 9110, section 12.5.1) and If-None-Match. */
import { ServiceError } from '../errors.js';

export const JSON_TYPE = 'application/json';
export const PROTOBUF_TYPE = 'application/x-protobuf';
export type AnswerType = typeof JSON_TYPE | typeof PROTOBUF_TYPE;

const NAMES: Readonly<Record<string, AnswerType>> = {
  'application/json': JSON_TYPE,
  'application/x-protobuf': PROTOBUF_TYPE,
  'application/protobuf': PROTOBUF_TYPE,
};

/** JSON where the client does not care. Throws ServiceError NOT_ACCEPTABLE. */
export function answerType(accept: string | undefined): AnswerType {
  if (accept === undefined || accept === '*/*' || accept === JSON_TYPE) return JSON_TYPE;
  const quality: Record<AnswerType, number> = { [JSON_TYPE]: -1, [PROTOBUF_TYPE]: -1 };
  let wildcard = -1;
  for (const part of accept.split(',').slice(0, 32)) {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const q = weight(parameters);
    const type = NAMES[range];
    if (type !== undefined) quality[type] = Math.max(quality[type], q);
    else if (range === '*/*' || range === 'application/*') wildcard = Math.max(wildcard, q);
  }
  const json = quality[JSON_TYPE] < 0 ? wildcard : quality[JSON_TYPE];
  const protobuf = quality[PROTOBUF_TYPE] < 0 ? wildcard : quality[PROTOBUF_TYPE];
  if (json <= 0 && protobuf <= 0) {
    throw new ServiceError('NOT_ACCEPTABLE', `answers are ${JSON_TYPE} or ${PROTOBUF_TYPE}`);
  }
  return protobuf > json ? PROTOBUF_TYPE : JSON_TYPE;
}

/** The q parameter; 1 where there is none, 0 where it is none. */
export function weight(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const value = q === undefined ? 1 : Number(q.slice(2));
  return value >= 0 && value <= 1 ? value : 0;
}

/** Whether If-None-Match names this entity tag. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
