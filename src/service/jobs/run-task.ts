/** One task of a job: the request is compiled like any other, and what the job keeps of the answer is its summary. */
import type { CompileService } from '../compile-service.js';
import { decode, JobItemType } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import { sourceOfEncoded } from '../intake/source.js';
import type { Tracing } from '../telemetry/trace.js';
import { TRANSIENT, type RunTask } from './backend.js';
import { failedItem, STATE, type JobItem } from './job.js';

/** `tracing` null: nobody collects traces. */
export function taskRunner(service: CompileService, tracing: Tracing | null): RunTask {
  return async ({ bytes, digest, index, identity, trace: parent }, signal) => {
    const trace = tracing?.start('job item', parent === '' ? undefined : parent, { 'bpf_jitd.index': index }) ?? null;
    try {
      const compiled = await service.ask(sourceOfEncoded(bytes), {
        identity,
        signal,
        json: false,
        trace,
      });
      // An answer's bytes read as an item: see JobItem in proto/.
      const { programs, failure } = decode(JobItemType, compiled.answer.protobuf) as Partial<JobItem>;
      const summary = { digest: compiled.digest, ...(programs && { programs }), index };
      if (!compiled.answer.failed) return { ...summary, state: STATE.SUCCEEDED };
      const detail = String(failure?.['message'] ?? 'the object cannot be loaded');
      return {
        ...summary,
        ...(failure && { failure }),
        state: STATE.FAILED,
        error: { code: 'INVALID_OBJECT', detail, field: 'object' },
      };
    } catch (error) {
      if (signal.aborted || (error instanceof ServiceError && TRANSIENT.has(error.code))) throw error;
      if (!(error instanceof ServiceError)) service.metrics.onDefect(error);
      return failedItem(index, digest, error);
    } finally {
      trace?.end();
    }
  };
}
