/** The jobs of an instance, from its configuration. */
import type { Cluster } from '../cluster/cluster.js';
import type { CompileService } from '../compile-service.js';
import type { Config } from '../config.js';
import type { Tracing } from '../telemetry/trace.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Deliver, JobBackend, JobLimits, JobObserver } from './backend.js';
import { STATE, type State } from './job.js';
import { JobService } from './job-service.js';
import { MemoryJobs } from './memory-jobs.js';
import { RedisJobs } from './redis-jobs.js';
import { checkCallback, deliver, Undeliverable, type WebhookPolicy } from './webhook.js';
import { taskRunner } from './run-task.js';

export interface Jobs {
  readonly service: JobService;
  /** Takes no more work; what runs is given so many milliseconds. */
  close(timeout: number): Promise<void>;
}

export function openJobs(
  config: Config,
  service: CompileService,
  cluster: Cluster | null,
  tracing: Tracing | null,
): Jobs {
  const limits: JobLimits = {
    items: config.jobQueue,
    clientItems: config.jobClientQueue,
    bytes: config.jobBytes,
    retention: config.jobRetention * 1000,
  };
  const policy: WebhookPolicy = {
    hosts: config.webhookHosts,
    secrets: config.webhookSecret,
    allowPrivate: config.webhookPrivate === 'yes',
  };
  const check = (url: string): void => {
    checkCallback(url, policy);
  };
  const observer = observed(service.metrics);
  const backend: JobBackend =
    cluster === null ? new MemoryJobs(limits, observer) : new RedisJobs(cluster, limits, observer);
  service.metrics.observeJobs(() => backend.open());
  if (config.role !== 'api')
    backend.work(taskRunner(service, tracing), config.workers, delivery(policy, service.metrics));
  return {
    service: new JobService({ service, backend, checkCallback: check }),
    close: (timeout) => backend.close(timeout),
  };
}

function observed(metrics: Metrics): JobObserver {
  return {
    started: (waited) => {
      metrics.jobWaitSeconds.observe(waited / 1000);
    },
    itemFinished: ({ state }) => {
      metrics.jobItems.inc({ state: stateName(state) });
    },
    jobFinished: ({ state }) => {
      metrics.jobs.inc({ state: stateName(state) });
    },
    onError: (error) => {
      metrics.onJobError(error);
    },
  };
}

function stateName(state: State): string {
  return Object.entries(STATE)
    .find(([, value]) => value === state)![0]
    .toLowerCase();
}

/** Counted by what became of it. */
function delivery(policy: WebhookPolicy, metrics: Metrics): Deliver {
  return async (job) => {
    try {
      await deliver(job, policy);
      metrics.webhooks.inc({ result: 'delivered' });
    } catch (error) {
      metrics.webhooks.inc({ result: error instanceof Undeliverable ? 'refused' : 'failed' });
      metrics.onJobError(error);
      throw error;
    }
  };
}
