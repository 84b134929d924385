/** What the arguments of one kernel function call tell each other and its result (struct bpf_kfunc_call_arg_meta, 6.12). */
import type { Btf } from '../../../btf/btf.js';
import type { BtfField } from '../../../btf/record.js';
import * as kf from '../../../targets/profile.js';
import type { VerifierMap } from '../../map.js';
import type { KernelFunction } from '../../kernel/functions.js';
import type { SpecialFunction } from '../../kernel/types.js';

export class KernelCallMeta {
  refObjId = 0;
  releaseRegno = 0;
  subprog = 0;
  /** The argument that must be a known constant (`__k`, `__szk`), 64-bit halves. */
  constant: { readonly hi: number; readonly lo: number } | null = null;
  /** Memory that is returned: bytes (0: none told), and whether it may only be read. */
  resultSize = 0;
  resultReadOnly = false;
  /** Type of the result, where an argument says it. */
  resultBtfId = 0;
  /** The program's own type that is handed in, and whether by its owner. */
  argBtf: Btf | null = null;
  argBtfId = 0;
  argIsOwning = false;
  listHead: BtfField | null = null;
  rbtreeRoot: BtfField | null = null;
  /** The dynptr argument that was initialised before. */
  dynptrType = 0;
  dynptrId = 0;
  dynptrRefObjId = 0;
  /** The iterator: where its first slot is. */
  iterSlot = 0;
  iterFrame = 0;
  map: VerifierMap | null = null;
  mapUid = 0;

  constructor(
    readonly fn: KernelFunction,
    /** Which function with rules of its own it is. */
    readonly special: SpecialFunction | null,
  ) {}

  has(flag: number): boolean {
    return (this.fn.flags & flag) !== 0;
  }
  get isRelease(): boolean {
    return this.has(kf.KF_RELEASE);
  }
  /** Pointers must be valid objects: functions that release say so, too. */
  get trustedArgs(): boolean {
    return this.has(kf.KF_TRUSTED_ARGS) || this.isRelease;
  }
  get mayReturnNull(): boolean {
    if (this.special === 'bpf_refcount_acquire_impl' && this.argIsOwning) return false;
    return this.has(kf.KF_RET_NULL);
  }
}
