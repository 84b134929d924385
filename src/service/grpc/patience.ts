/** How long gRPC calls may leave us waiting: what receive timeouts are to HTTP. */
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { ServiceError } from '../errors.js';
import { grpcError } from './status.js';

/**
 * Ends calls of `service` whose next message does not come for `receive` milliseconds; a stream in both directions, which may
 * wait for answers, is given `answer` more, from the last message in either direction.
 */
export function patience(service: string, receive: number, answer: number): ServerInterceptor {
  return (method, call) => {
    if (!method.path.startsWith(`/${service}/`)) return new ServerInterceptingCall(call);
    const both = method.requestStream && method.responseStream;
    const wait = both ? receive + answer : receive;
    const timer = setTimeout(() => {
      const late = grpcError(new ServiceError('REQUEST_TIMEOUT', `no message came for ${wait} ms`));
      call.sendStatus({ code: 4, details: '', metadata: null, ...late });
    }, wait);
    let complete = false;
    const stop = (): void => {
      complete = true;
      clearTimeout(timer);
    };
    const restart = (): void => {
      if (!complete) timer.refresh(); // which would start a timer again that was cleared
    };
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMessage: (message, go) => {
            restart();
            go(message);
          },
          onReceiveHalfClose: (go) => {
            stop();
            go();
          },
          onCancel: stop,
        });
      },
      sendMessage: (message, next) => {
        restart();
        next(message);
      },
      sendStatus: (status, next) => {
        stop();
        next(status);
      },
    });
  };
}
