import type { MapSpec } from '../load/program.js';
import type { BtfRecord } from '../btf/record.js';

/** A map as the verifier sees it: the specification, and what the kernel derives from it on creation. */
export interface VerifierMap {
  readonly spec: MapSpec;
  /** Index in the program's map table, -1 for an inner map's template. */
  readonly index: number;
  readonly inner: VerifierMap | null;
  /** Special fields of the value (spin locks, timers, kptrs, list heads …), or null. */
  readonly record: BtfRecord | null;
}
