/** The gRPC transport, listening. */
import { ServerCredentials } from '@grpc/grpc-js';
import type { Keyring } from '../auth/keyring.js';
import type { BodyMemory } from '../body-memory.js';
import type { CompileService } from '../compile-service.js';
import type { Config } from '../config.js';
import type { JobService } from '../jobs/job-service.js';
import type { Tracing } from '../telemetry/trace.js';
import { GrpcCertificates, type Certificates } from '../tls.js';
import { listen, type GrpcListener } from './listen.js';
import { buildGrpc } from './server.js';

export interface GrpcParts {
  readonly service: CompileService;
  readonly jobs: JobService;
  readonly config: Config;
  readonly bodies: BodyMemory;
  readonly keyring: Keyring | null;
  /** Null: no TLS. */
  readonly certificates: Certificates | null;
  /** Null: nobody collects traces. */
  readonly tracing: Tracing | null;
}

export interface ServingGrpc extends GrpcListener {
  /** Tells health checks whether this instance takes work. */
  setServing(serving: boolean): void;
}

export async function serveGrpc(parts: GrpcParts): Promise<ServingGrpc> {
  const { config, certificates } = parts;
  const { server, setServing } = buildGrpc(parts);
  const { address, close } = await listen(server, {
    host: config.host,
    port: config.grpcPort,
    connections: config.connections,
    credentials: certificates === null ? ServerCredentials.createInsecure() : new GrpcCertificates(certificates),
  });
  return { address, close, setServing };
}
