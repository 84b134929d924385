/** What goes between the main thread and a worker of the intake. */
import type { Naming, ReadSource, RequestSource } from './source.js';
import type { CheckedUpload, Upload } from './upload.js';

/** `workerData` of every worker. */
export interface IntakeSetup {
  readonly naming: Naming;
  /** Requests that one job may hold. */
  readonly maxRequests: number;
}

export type IntakeTask = { readonly source: RequestSource } | { readonly upload: Upload };

/** `refused`: as errors.ts writes a refusal. */
export type IntakeOutcome =
  { readonly read: ReadSource } | { readonly upload: CheckedUpload } | { readonly refused: string };
