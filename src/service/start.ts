/** Puts the service together from its configuration, and takes it apart again. */
import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { openKeyring, watchKeyring } from './auth/open.js';
import { BodyMemory } from './body-memory.js';
import { blameSetting } from './blame-setting.js';
import { MemoryCache } from './cache/memory.js';
import { RedisCache } from './cache/redis.js';
import { CacheTiers } from './cache/tiers.js';
import { TargetCatalog } from './catalog.js';
import { CompileService } from './compile-service.js';
import type { Config } from './config.js';
import { Cluster } from './cluster/cluster.js';
import { SharedUploads } from './cluster/uploads.js';
import { LocalExecutor } from './execute/local.js';
import { QueuedExecutor } from './execute/queued.js';
import { workOnQueue } from './execute/queue-worker.js';
import { SharedExecutor } from './execute/shared.js';
import { serveGrpc } from './grpc/serve.js';
import { buildApp, type Route } from './http/app.js';
import { Intake } from './intake/intake.js';
import type { Naming } from './intake/source.js';
import { openJobs } from './jobs/open-jobs.js';
import { CompilePool } from './pool/pool.js';
import type { TargetFiles } from './pool/protocol.js';
import { openStores } from './store/open.js';
import { readTargets } from './targets.js';
import { Metrics } from './telemetry/metrics.js';
import { observe } from './telemetry/observe.js';
import { openTracing } from './telemetry/tracing.js';
import { Certificates } from './tls.js';
import { buildId } from './version.js';

/** Threads that read what is large or compressed: one that a client keeps busy does not hold up all the others. */
const READERS = 2;

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

/**
 * Throws ConfigError where a file, directory or address that a setting names cannot be used. What was started by then goes on:
 * the process is to end.
 */
export async function startService(config: Config, options: StartOptions = {}): Promise<RunningService> {
  const logger = options.logger ?? pino({ level: config.logLevel });
  const keyring = openKeyring(config, logger);
  const certificates = Certificates.open(config);
  const tracing = await openTracing(process.env);
  const targets = readTargets();
  const memory = new MemoryCache(config.memoryCache);
  const metrics = new Metrics();
  const cluster = joinCluster(config, metrics);
  const redis = cluster === null ? null : new RedisCache(cluster.quick);
  const uploads = cluster === null ? null : new SharedUploads(cluster.patient);
  const { disk, btf } = await openStores(config, uploads, metrics, logger);
  const pool = new CompilePool({
    workers: config.role === 'api' ? 0 : config.workers,
    clientWorkers: config.clientWorkers,
    maxQueue: config.queue,
    cpuTimeout: config.cpuTimeout,
    workerMemory: config.workerMemory,
    setup: { targets },
    onReplaced: (reason) => {
      metrics.workerReplacements.inc({ reason });
    },
    ...(options.workerFile === undefined ? {} : { workerFile: options.workerFile }),
  });
  const tiers = new CacheTiers({ memory, disk, redis, metrics });
  const local = new LocalExecutor(pool, btf, tiers, metrics);
  observe(metrics, { config, pool, memory, disk, btf, logger });
  const id = buildId();
  const queued = cluster !== null && config.role === 'api' ? queuedExecutor(config, cluster, id, tiers) : null;
  const shared = cluster === null ? local : new SharedExecutor(local, cluster.leases, cluster.bus, tiers, metrics);
  const intake = new Intake(
    { naming: { buildId: id, targets: named(targets) }, maxRequests: config.jobItems },
    READERS,
  );
  const service = new CompileService({
    pool,
    executor: queued ?? shared,
    tiers,
    btf,
    catalog: new TargetCatalog(targets),
    metrics,
    intake,
    timeout: config.timeout,
  });
  const bodies = new BodyMemory(config.bodyMemory);
  const routes: Route[] = [];
  const watches = [keyring && watchKeyring(keyring, metrics, logger), certificates?.watch(metrics, logger)];
  const jobs = openJobs(config, service, cluster, tracing);
  const answers = cluster === null ? null : new RedisCache(cluster.patient);
  const consumer =
    cluster === null || answers === null || config.role === 'api'
      ? null
      : workOnQueue({ cluster, buildId: id, service, answers, concurrency: config.workers, tracing });
  const app = await buildApp({
    service,
    jobs: jobs.service,
    config,
    bodies,
    logger,
    routes,
    keyring,
    certificates,
    tracing,
  });
  const { host, port, grpcPort } = config;
  const url = await blameSetting(`BPF_JITD_PORT=${port} at BPF_JITD_HOST=${host}`, () => app.listen({ host, port }));
  const grpc =
    config.role === 'worker'
      ? null
      : await blameSetting(`BPF_JITD_GRPC_PORT=${grpcPort} at BPF_JITD_HOST=${host}`, () =>
          serveGrpc({ service, jobs: jobs.service, config, bodies, keyring, certificates, tracing }),
        );
  const grpcAddress = grpc?.address ?? '';
  logger.info({ url, grpc: grpcAddress, targets: targets.map(({ name }) => name) }, 'serving');

  const stop = async (): Promise<void> => {
    grpc?.setServing(false);
    for (const watch of watches) watch?.stop();
    const until = performance.now() + config.drainTimeout;
    const { drainTimeout } = config;
    await Promise.all([service.drain(drainTimeout), jobs.close(drainTimeout), consumer?.close(drainTimeout)]);
    await Promise.all([closeHttp(app, metrics, until), grpc?.close()]);
    await Promise.all([pool.close(), intake.close(), queued?.close()]);
    await Promise.all([disk?.close(), btf.close()]);
    cluster?.close();
    await tracing?.close();
    logger.info('stopped');
  };
  return { url, grpcAddress, service, routes, stop };
}

const named = (targets: readonly TargetFiles[]): Naming['targets'] =>
  targets.map(({ name, digest }) => ({ name, digest }));

function queuedExecutor(config: Config, cluster: Cluster, buildId: string, tiers: CacheTiers): QueuedExecutor {
  const { queue: limit, timeout } = config;
  return new QueuedExecutor({ cluster, buildId, answers: new RedisCache(cluster.patient), tiers, limit, timeout });
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
