/** Refusals as gRPC sends them: the same codes, in google.rpc.Status details (https://google.aip.dev/193). */
import { Metadata, type ServiceError as GrpcError } from '@grpc/grpc-js';
import { asServiceError, type ServiceError } from '../errors.js';
import { messageType, type Message } from '../contract/schema.js';

const DOMAIN = 'bpf-jitd.dev';
const StatusType = messageType('google.rpc.Status');

export function grpcError(error: unknown): Partial<GrpcError> {
  const known = asServiceError(error);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(StatusType.encode(statusMessage(known)).finish()));
  return { code: known.kind.grpc, details: `${known.code}: ${known.detail}`, metadata };
}

/** google.rpc.Status with ErrorInfo, and BadRequest or RetryInfo where they say more. */
export function statusMessage(error: ServiceError): Message {
  const { field, failure } = error.place;
  const metadata = failure === undefined ? {} : { failure: JSON.stringify(failure) };
  const details = [pack('google.rpc.ErrorInfo', { reason: error.code, domain: DOMAIN, metadata })];
  if (field !== undefined) {
    details.push(pack('google.rpc.BadRequest', { fieldViolations: [{ field, description: error.detail }] }));
  }
  if (error.retryAfter !== null) {
    details.push(pack('google.rpc.RetryInfo', { retryDelay: { seconds: error.retryAfter } }));
  }
  return { code: error.kind.grpc, message: error.detail, details };
}

function pack(name: string, message: Message): Message {
  return { type_url: `type.googleapis.com/${name}`, value: messageType(name).encode(message).finish() };
}
