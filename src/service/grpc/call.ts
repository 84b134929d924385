/** What a gRPC call says besides its messages: who makes it, how long they wait, and whether they still do. */
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { anonymous, type Identity } from '../auth/identity.js';
import type { Asking } from '../compile-service.js';
import { ServiceError } from '../errors.js';

/** What calls of all kinds, unary and streams, have in common. */
export interface ServerCall extends Pick<ServerUnaryCall<Buffer, Buffer>, 'getPeer' | 'getDeadline' | 'metadata'> {
  on(event: 'cancelled', listener: () => void): unknown;
}

export function identityOf(call: ServerCall): Identity {
  return anonymous(call.getPeer().replace(/:\d+$/, ''));
}

/** Aborted when the client cancels the call. */
export function cancellation(call: ServerCall): AbortController {
  const gone = new AbortController();
  call.on('cancelled', () => {
    gone.abort(new ServiceError('CANCELLED', 'the client cancelled the call'));
  });
  return gone;
}

/** gRPC answers go out as protobuf. */
export function askingOf(call: ServerCall, gone: AbortController): Asking {
  return { identity: identityOf(call), signal: gone.signal, json: false, limit: timeLeft(call) };
}

/** Milliseconds to the call's deadline. */
function timeLeft(call: ServerCall): number {
  return Math.max(0, Number(call.getDeadline()) - Date.now());
}
