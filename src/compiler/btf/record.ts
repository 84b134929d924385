import type { Btf } from './btf.js';

/** Special fields that the kernel knows in map values and allocated objects (enum btf_field_type, 6.12; a set of bits). */
export const FIELD_SPIN_LOCK = 1 << 0;
export const FIELD_TIMER = 1 << 1;
export const FIELD_KPTR_UNREF = 1 << 2;
export const FIELD_KPTR_REF = 1 << 3;
export const FIELD_KPTR_PERCPU = 1 << 4;
export const FIELD_KPTR = FIELD_KPTR_UNREF | FIELD_KPTR_REF | FIELD_KPTR_PERCPU;
export const FIELD_LIST_HEAD = 1 << 5;
export const FIELD_LIST_NODE = 1 << 6;
export const FIELD_RB_ROOT = 1 << 7;
export const FIELD_RB_NODE = 1 << 8;
export const FIELD_GRAPH_NODE = FIELD_RB_NODE | FIELD_LIST_NODE;
export const FIELD_GRAPH_ROOT = FIELD_RB_ROOT | FIELD_LIST_HEAD;
export const FIELD_REFCOUNT = 1 << 9;
export const FIELD_WORKQUEUE = 1 << 10;
export const FIELD_UPTR = 1 << 11;

export interface BtfField {
  readonly type: number;
  /** Bytes from the start of the value. */
  readonly offset: number;
  readonly size: number;
  /** Pointee of a kptr, or the contained type of a graph root: BTF and id. */
  readonly btf: Btf | null;
  readonly btfId: number;
  /** Graph roots: offset of the node in the contained type, and that type's own record. */
  readonly nodeOffset: number;
  readonly valueRecord: BtfRecord | null;
}

/** struct btf_record: all special fields of one type, sorted by offset. */
export interface BtfRecord {
  readonly fields: readonly BtfField[];
  readonly fieldMask: number;
  /** Byte offsets, -1 where absent. */
  readonly spinLockOffset: number;
  readonly timerOffset: number;
  readonly workqueueOffset: number;
  readonly refcountOffset: number;
}
