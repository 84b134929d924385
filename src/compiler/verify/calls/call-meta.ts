/** What the arguments of one call tell each other and its result (struct bpf_call_arg_meta of Linux 6.12). */
import type { Btf } from '../../btf/btf.js';
import type { BtfField } from '../../btf/record.js';
import type { VerifierMap } from '../map.js';

export class CallMeta {
  /** BPF_FUNC_… number, 0 where it is no helper's call. */
  helperId = 0;
  /** The helper may be handed packet pointers. */
  packetAccess = false;
  /** The map argument, and which lookup of an inner map it came from. */
  map: VerifierMap | null = null;
  mapUid = 0;
  /** The current memory argument is written by the helper and need not be initialised. */
  rawMode = false;
  /** Stack memory that the helper fills: register and bytes, to be marked as written after all checks. */
  regno = 0;
  accessSize = 0;
  /** Largest value of the size argument (unsigned halves), an upper bound of some results. */
  maxSizeHi = 0;
  maxSizeLo = 0;
  /** Bytes of the memory that is returned. */
  memSize = 0;
  /** The argument that is released, and the reference among the arguments. */
  releaseRegno = 0;
  refObjId = 0;
  dynptrId = 0;
  /** Type behind the returned pointer, where an argument says it. */
  retBtf: Btf | null = null;
  retBtfId = 0;
  /** The callback. */
  subprog = 0;
  kptrField: BtfField | null = null;
}
