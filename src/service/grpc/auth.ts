/** API keys over gRPC: the metadata `authorization`, as in HTTP. */
import { ServerInterceptingCall, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import type { KeyHolder } from '../auth/holder.js';
import type { Keyring } from '../auth/keyring.js';
import type { Scope } from '../auth/keys-file.js';
import { addressOf, setHolder } from './call.js';
import { grpcError } from './status.js';
import type { IsTrusted } from '../auth/address.js';

/** What a key must allow, by method. Health and reflection are open. */
export const METHOD_SCOPES: Readonly<Record<string, Scope>> = {
  Compile: 'compile',
  CompileBatch: 'compile',
  UploadBtf: 'btf:write',
  GetCompilation: 'read',
  ListTargets: 'read',
  SubmitJob: 'jobs',
  GetJob: 'jobs',
  CancelJob: 'jobs',
  WatchJob: 'jobs',
};

/** Streams whose items are requests of their own: the stream itself counts for nothing. */
const BY_ITEM = new Set(['CompileBatch']);

/** Refuses calls of `service` that no key allows, before their messages are read. */
export function authentication(service: string, keyring: Keyring, isTrusted: IsTrusted): ServerInterceptor {
  return (method, call) => {
    const [, owner, name = ''] = method.path.split('/');
    if (owner !== service) return new ServerInterceptingCall(call);
    let leave = (): void => undefined;
    const admit = (metadata: Metadata): KeyHolder => {
      const [authorization] = metadata.get('authorization');
      const address = addressOf(call.getPeer(), metadata, isTrusted);
      const holder = keyring.authenticate(authorization?.toString(), address);
      const scope = METHOD_SCOPES[name]!;
      if (BY_ITEM.has(name)) holder.check(scope);
      else {
        holder.enter(scope);
        leave = () => {
          leave = () => undefined;
          holder.leave();
        };
      }
      return holder;
    };
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, go) => {
            try {
              setHolder(metadata, admit(metadata));
            } catch (error) {
              call.sendStatus({ code: 2, details: '', metadata: null, ...grpcError(error) });
              return;
            }
            go(metadata);
          },
          onCancel: () => {
            leave();
          },
        });
      },
      sendStatus: (status, next) => {
        leave();
        next(status);
      },
    });
  };
}
