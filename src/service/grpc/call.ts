/** What a gRPC call says besides its messages: who makes it, how long they wait, and whether they still do. */
import { setMaxListeners } from 'node:events';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { clientAddress, type IsTrusted } from '../auth/address.js';
import type { KeyHolder } from '../auth/holder.js';
import { anonymous, type Identity } from '../auth/identity.js';
import type { Asking } from '../compile-service.js';
import { ServiceError } from '../errors.js';
import type { Trace } from '../telemetry/trace.js';

/** What calls of all kinds, unary and streams, have in common. */
export interface ServerCall extends Pick<ServerUnaryCall<Buffer, Buffer>, 'getPeer' | 'getDeadline' | 'metadata'> {
  on(event: 'cancelled', listener: () => void): unknown;
}

/** The keys that calls were let in with, by the metadata that came with them. */
const holders = new WeakMap<Metadata, KeyHolder>();

export function setHolder(metadata: Metadata, holder: KeyHolder): void {
  holders.set(metadata, holder);
}

/** The key that a call was let in with; null where there are no keys. */
export function holderOf(call: ServerCall): KeyHolder | null {
  return holders.get(call.metadata) ?? null;
}

export function identityOf(call: ServerCall, isTrusted: IsTrusted): Identity {
  return holderOf(call)?.identity ?? anonymous(addressOf(call.getPeer(), call.metadata, isTrusted));
}

/** Who takes turns and shares: the key that the metadata came with, or the address. */
export function clientOf(peer: string, metadata: Metadata, isTrusted: IsTrusted): string {
  return holders.get(metadata)?.identity.client ?? anonymous(addressOf(peer, metadata, isTrusted)).client;
}

/** `peer`: address and port. */
export function addressOf(peer: string, metadata: Metadata, isTrusted: IsTrusted): string {
  const forwarded = metadata.get('x-forwarded-for').join(',');
  return clientAddress(peer.replace(/:\d+$/, ''), forwarded, isTrusted);
}

/**
 * Whether the client has cancelled the call. grpc-js says so of every call when its stream closes, also after the answer: an
 * error and a signal are made for those alone who ask, which cached answers do not.
 */
export class Cancellation {
  private stop: AbortController | null = null;
  private cancelled = false;

  constructor(call: ServerCall) {
    call.on('cancelled', () => {
      this.cancel('the client cancelled the call');
    });
  }

  /** Aborted when the client cancels the call. */
  get signal(): AbortSignal {
    if (this.stop === null) {
      this.stop = new AbortController();
      setMaxListeners(0, this.stop.signal); // a batch has as many as requests under way
      if (this.cancelled) this.cancel('the client cancelled the call');
    }
    return this.stop.signal;
  }

  cancel(why: string): void {
    this.cancelled = true;
    this.stop?.abort(new ServiceError('CANCELLED', why));
  }
}

/** gRPC answers go out as protobuf. */
export function askingOf(call: ServerCall, gone: Cancellation, isTrusted: IsTrusted, trace: Trace | null): Asking {
  return {
    identity: identityOf(call, isTrusted),
    get signal() {
      return gone.signal;
    },
    json: false,
    limit: timeLeft(call),
    trace,
  };
}

/** Milliseconds to the call's deadline. */
function timeLeft(call: ServerCall): number {
  return Math.max(0, Number(call.getDeadline()) - Date.now());
}
