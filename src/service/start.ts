/** Puts the service together from its configuration, and takes it apart again. */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { ServerCredentials } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { openKeyring, watchKeyring } from './auth/open.js';
import { BtfStore } from './btf-store.js';
import { DiskCache } from './cache/disk.js';
import { MemoryCache } from './cache/memory.js';
import { RedisCache } from './cache/redis.js';
import { CacheTiers } from './cache/tiers.js';
import { TargetCatalog } from './catalog.js';
import { CompileService } from './compile-service.js';
import type { Config } from './config.js';
import { Cluster } from './cluster/cluster.js';
import { SharedUploads } from './cluster/uploads.js';
import { LocalExecutor } from './execute/local.js';
import { SharedExecutor } from './execute/shared.js';
import { listen } from './grpc/listen.js';
import { buildGrpc } from './grpc/server.js';
import { buildApp, type Route } from './http/app.js';
import { openJobs } from './jobs/open-jobs.js';
import { CompilePool } from './pool/pool.js';
import { readTargets } from './targets.js';
import { Metrics } from './telemetry/metrics.js';
import { observe } from './telemetry/observe.js';
import { openTracing } from './telemetry/tracing.js';
import { Certificates, GrpcCertificates } from './tls.js';
import { buildId } from './version.js';

export interface RunningService {
  /** http://host:port */
  readonly url: string;
  /** host:port */
  readonly grpcAddress: string;
  readonly service: CompileService;
  /** Of HTTP. */
  readonly routes: readonly Route[];
  /** Refuses new work, lets what is in flight finish, then closes everything. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly logger?: Logger;
  /** Another worker, for tests of what happens to workers. */
  readonly workerFile?: string;
}

/** Throws ConfigError where a file that a setting names cannot be used. */
export async function startService(config: Config, options: StartOptions = {}): Promise<RunningService> {
  const logger = options.logger ?? pino({ level: config.logLevel });
  const keyring = openKeyring(config, logger);
  const certificates = Certificates.open(config);
  const tracing = await openTracing(process.env);
  const targets = readTargets();
  const disk = config.diskCache > 0 ? new DiskCache(join(config.dataDir, 'cache'), config.diskCache) : null;
  const memory = new MemoryCache(config.memoryCache);
  const metrics = new Metrics();
  const pool = new CompilePool({
    workers: config.workers,
    maxQueue: config.queue,
    workerMemory: config.workerMemory,
    setup: { targets },
    onReplaced: (reason) => {
      metrics.workerReplacements.inc({ reason });
    },
    ...(options.workerFile === undefined ? {} : { workerFile: options.workerFile }),
  });
  const cluster = joinCluster(config, metrics);
  const redis = cluster === null ? null : new RedisCache(cluster.quick);
  const tiers = new CacheTiers({ memory, disk, redis, metrics });
  const uploads = cluster === null ? null : new SharedUploads(cluster.patient);
  const btf = new BtfStore(join(config.dataDir, 'btf'), config.btfStore, uploads);
  const local = new LocalExecutor(pool, btf, tiers, metrics);
  observe(metrics, { config, pool, memory, disk, btf, logger });
  const service = new CompileService({
    pool,
    executor: cluster === null ? local : new SharedExecutor(local, cluster.leases, cluster.bus, tiers, metrics),
    tiers,
    btf,
    catalog: new TargetCatalog(targets),
    metrics,
    buildId: buildId(),
    timeout: config.timeout,
  });
  const routes: Route[] = [];
  const watches = [keyring && watchKeyring(keyring, metrics, logger), certificates?.watch(metrics, logger)];
  const jobs = openJobs(config, service, cluster);
  const app = await buildApp({ service, jobs: jobs.service, config, logger, routes, keyring, certificates, tracing });
  const grpc = buildGrpc(service, jobs.service, config, keyring, tracing);
  const url = await app.listen({ host: config.host, port: config.port });
  const listener = await listen(grpc.server, {
    host: config.host,
    port: config.grpcPort,
    connections: config.connections,
    credentials: certificates === null ? ServerCredentials.createInsecure() : new GrpcCertificates(certificates),
  });
  const grpcAddress = listener.address;
  logger.info({ url, grpc: grpcAddress, targets: targets.map(({ name }) => name) }, 'serving');

  const stop = async (): Promise<void> => {
    grpc.setServing(false);
    for (const watch of watches) watch?.stop();
    const until = performance.now() + config.drainTimeout;
    await Promise.all([service.drain(config.drainTimeout), jobs.close(config.drainTimeout)]);
    await Promise.all([closeHttp(app, metrics, until), listener.close()]);
    await pool.close();
    await disk?.close();
    cluster?.close();
    await tracing?.close();
    logger.info('stopped');
  };
  return { url, grpcAddress, service, routes, stop };
}

/** Null where this instance is alone. */
function joinCluster(config: Config, metrics: Metrics): Cluster | null {
  if (config.redisUrl === '') return null;
  return new Cluster(config.redisUrl, config.lease, (error) => {
    metrics.cacheErrors.inc({ tier: 'redis' });
    metrics.onCacheError(error);
  });
}

/** Answers on their way may end. Then all connections are cut: one that never sent a request would hold the server for a minute. */
async function closeHttp(app: FastifyInstance, metrics: Metrics, until: number): Promise<void> {
  const closed = app.close();
  while (metrics.httpInFlight > 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 20));
  app.server.closeAllConnections();
  await closed;
}
