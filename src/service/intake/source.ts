/** What clients send, as it came, and what is made of it. Plain values and bytes only: it crosses into worker threads. */
import type { Message } from '../contract/schema.js';
import type { Coding } from './coding.js';

export interface Body {
  readonly bytes: Uint8Array;
  /** Null: as it is. */
  readonly coding: Coding | null;
  /** Bytes that may come out of it. */
  readonly limit: number;
}

/** What stands beside an object in the query of a request, or in the fields of a form. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

export type EncodedMessage = 'CompileRequest' | 'SubmitJobRequest' | 'BatchRequest';

/** A message in an encoding, or files with a query. */
export type RequestSource =
  | { readonly kind: 'json' | 'protobuf'; readonly message: EncodedMessage; readonly body: Body }
  | {
      readonly kind: 'files';
      readonly message: 'CompileRequest' | 'SubmitJobRequest';
      readonly query: Query;
      readonly object: Body | null;
      readonly btf: Uint8Array | null;
      readonly attachObject: Uint8Array | null;
    };

/** A request that was read and encoded before, here or by another instance. */
export function sourceOfEncoded(bytes: Uint8Array): RequestSource {
  return { kind: 'protobuf', message: 'CompileRequest', body: { bytes, coding: null, limit: bytes.length } };
}

/** BTF that a request names by the digest of what was uploaded. */
export interface NamedBtf {
  /** Of the digest. */
  readonly field: string;
  readonly digest: string;
}

/** A checked request in its canonical form. */
export interface Prepared {
  /** CompileRequest in protobuf encoding. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names it together with build and target. */
  readonly digest: string;
  /** The target's name, the first of several; never empty. */
  readonly target: string;
  readonly named: readonly NamedBtf[];
  /** Where it names several targets: the requests that it stands for, in their order. Empty for one. */
  readonly each: readonly Prepared[];
}

export interface ReadSource {
  readonly requests: readonly Prepared[];
  /** What the message says besides its requests: a batch's id, a job's priority. */
  readonly envelope: Message;
  /** Of a batch's item: why its request is refused, as errors.ts writes it, beside the id in the envelope. */
  readonly refused?: string;
}

/** What requests are named by besides their own bytes. */
export interface Naming {
  /** Of code and schemas. */
  readonly buildId: string;
  /** The default first; `digest` is that of the target's files. */
  readonly targets: readonly { readonly name: string; readonly digest: string }[];
}
