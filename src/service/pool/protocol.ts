/** What goes between the main thread and a worker. Plain values and bytes only: nothing with a class survives the way. */

/** A target's files, shared by all workers. */
export interface TargetFiles {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array<SharedArrayBuffer>>;
}

/** `workerData` of every worker. */
export interface WorkerSetup {
  readonly targets: readonly TargetFiles[];
}

export interface CompileTask {
  /** The canonical CompileRequest, in protobuf encoding. */
  readonly request: Uint8Array;
  readonly digest: string;
  /** The target's name, never empty. */
  readonly target: string;
  /** BTF that replaces the target's, and its SHA-256; null for the target's own. */
  readonly btf: { readonly digest: string; readonly bytes: Uint8Array } | null;
  /** Also encode the answer as JSON. */
  readonly json: boolean;
}

export interface CompileTaskResult {
  /** The CompileResponse in protobuf encoding, and as JSON text where that was asked for. */
  readonly protobuf: Uint8Array;
  readonly json: Uint8Array | null;
  /** The object as a whole could not be loaded and no program is spoken of. */
  readonly failed: boolean;
  /** Programs accepted and rejected. */
  readonly accepted: number;
  readonly rejected: number;
  /** Milliseconds of each stage. */
  readonly timings: Readonly<Record<string, number>>;
}
