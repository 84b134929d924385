/** What goes between the main thread and a worker. Plain values and bytes only: nothing with a class survives the way. */

import type { KernelBtfImage } from '../../compiler/kernel-btf.js';

/** A target's files and its checked and indexed BTF, in memory that all workers share. */
export interface TargetFiles {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array<SharedArrayBuffer>>;
  readonly btf: KernelBtfImage;
  /** SHA-256 over the files. */
  readonly digest: string;
}

/** `workerData` of every worker. */
export interface WorkerSetup {
  readonly targets: readonly TargetFiles[];
  /** By place: the thread that works there, as the system numbers threads. */
  readonly threads: Int32Array<SharedArrayBuffer>;
}

export interface CompileTask {
  /** The canonical CompileRequest, in protobuf encoding. */
  readonly request: Uint8Array;
  readonly digest: string;
  /** The target's name, never empty. */
  readonly target: string;
  /** Whose it is: part of the names under which what is made of BTF is kept. */
  readonly tenant: string;
  /** The BTF that the request names by digests. */
  readonly stored: readonly StoredBtf[];
  /** Also encode the answer as JSON. */
  readonly json: boolean;
  /** Also tell when each stage began and ended. */
  readonly traced: boolean;
}

/** A task, and the place in which it is worked on. */
export interface PlacedTask extends CompileTask {
  readonly place: number;
}

/** BTF that was uploaded: a file, which the worker reads and checks when it comes to it, or bytes where no disk took them. */
export interface StoredBtf {
  /** The request's field that names it. */
  readonly field: string;
  readonly digest: string;
  readonly from: string | Uint8Array;
}

/** What became of a task: an answer, or why the BTF in a field of the request cannot be used. */
export type CompileTaskOutcome = CompileTaskResult | BadBtf | LostBtf;

/** The words of what is wrong with it. */
export interface BadBtf {
  readonly badBtf: string;
  readonly field: string;
}

/** The digest of an upload that is damaged, or not there any more. */
export interface LostBtf {
  readonly lostBtf: string;
  readonly field: string;
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
  /** Instructions that the verifier processed. */
  readonly processedInstructions: number;
  /** Milliseconds of each stage. */
  readonly timings: Readonly<Record<string, number>>;
  /** Milliseconds from taking the task to having its answer. */
  readonly elapsed: number;
  /** Where the task asked for it. */
  readonly spans: readonly StageSpan[];
  /** The worker's thread id, and the bytes of its heap in use. */
  readonly worker: { readonly thread: number; readonly heapBytes: number };
}

/** One turn of a stage, in milliseconds from the task's start. */
export interface StageSpan {
  readonly stage: string;
  readonly start: number;
  readonly end: number;
}
