/** The gRPC transport. Messages stay bytes where they can: a cached answer goes out as it lies in the cache. */
import { Server, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import { trustedProxies } from '../auth/address.js';
import { schema } from '../contract/schema.js';
import { fileDescriptors } from './descriptors.js';
import { authentication } from './auth.js';
import { Handlers } from './handlers.js';
import { CallObserver } from './observer.js';
import { patience } from './patience.js';
import { receiving } from './receiving.js';
import type { GrpcParts } from './serve.js';

const SERVICE = 'bpfjit.v1.JitService';
/** Calls of one connection at a time; more wait with the client. */
const STREAMS = 256;
/** A connection without calls is closed after that. */
const CONNECTION_IDLE_MS = 300_000;

/** Every method with requests and answers as bytes. */
function definition(): ServiceDefinition {
  const methods = schema.lookupService(SERVICE).methodsArray.map((method) => [
    method.name,
    {
      path: `/${SERVICE}/${method.name}`,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  ]);
  return Object.fromEntries(methods) as ServiceDefinition;
}

export interface GrpcTransport {
  readonly server: Server;
  /** Tells health checks whether this instance takes work. */
  setServing(serving: boolean): void;
}

export function buildGrpc(parts: GrpcParts): GrpcTransport {
  const { service, config, bodies, keyring, tracing } = parts;
  const observer = new CallObserver(SERVICE, service.metrics, tracing);
  const isTrusted = trustedProxies(config.trustedProxies);
  const server = new Server({
    'grpc.max_receive_message_length': config.bodyLimit,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.max_connection_idle_ms': CONNECTION_IDLE_MS,
    'grpc.max_concurrent_streams': STREAMS,
    'grpc.enable_channelz': 0,
    interceptors: [
      patience(SERVICE, config.receiveTimeout, config.timeout),
      ...(keyring === null ? [] : [authentication(SERVICE, keyring, isTrusted)]),
      receiving(SERVICE, bodies, isTrusted),
    ],
  });
  server.addService(definition(), new Handlers(parts, isTrusted, observer).methods());
  const health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });
  health.addToServer(server);
  const options = { keepCase: true, longs: String };
  const own = { fileDescriptorProtos: fileDescriptors() } as unknown as PackageDefinition[string];
  const described: PackageDefinition = { [SERVICE]: own, ...loadSync(healthProto, options) };
  new ReflectionService(described).addToServer(server);
  return {
    server,
    setServing: (serving) => {
      for (const name of ['', SERVICE]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
  };
}
