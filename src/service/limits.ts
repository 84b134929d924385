/** What this service takes at most, told with its targets so that clients need not find out by being refused. */
import type { Config } from './config.js';
import type { Message } from './contract/schema.js';

/** A Limits message. */
export function limitsMessage(config: Config): Message {
  const { bodyLimit, btfStore, timeout, receiveTimeout } = config;
  return {
    requestBytes: bodyLimit,
    btfBytes: btfStore,
    timeoutMilliseconds: timeout,
    receiveTimeoutMilliseconds: receiveTimeout,
  };
}
