/** Ids of the kernel's own types and functions that the verifier knows by name, looked up once a verification. */
import type { Btf } from '../../btf/btf.js';
import { KIND_FUNC, KIND_STRUCT } from '../../btf/kinds.js';
import * as t from '../../targets/types.js';
import type { Env } from '../env.js';

/** Kernel functions with rules of their own, by name; 0 where this kernel has none of that name. */
const SPECIAL_FUNCTIONS = [
  'bpf_obj_new_impl',
  'bpf_obj_drop_impl',
  'bpf_refcount_acquire_impl',
  'bpf_list_push_front_impl',
  'bpf_list_push_back_impl',
  'bpf_list_pop_front',
  'bpf_list_pop_back',
  'bpf_cast_to_kern_ctx',
  'bpf_rdonly_cast',
  'bpf_rcu_read_lock',
  'bpf_rcu_read_unlock',
  'bpf_rbtree_remove',
  'bpf_rbtree_add_impl',
  'bpf_rbtree_first',
  'bpf_dynptr_from_skb',
  'bpf_dynptr_from_xdp',
  'bpf_dynptr_slice',
  'bpf_dynptr_slice_rdwr',
  'bpf_dynptr_clone',
  'bpf_percpu_obj_new_impl',
  'bpf_percpu_obj_drop_impl',
  'bpf_throw',
  'bpf_wq_set_callback_impl',
  'bpf_preempt_disable',
  'bpf_preempt_enable',
  'bpf_iter_css_task_new',
  'bpf_session_cookie',
] as const;
export type SpecialFunction = (typeof SPECIAL_FUNCTIONS)[number];

const KNOWN_STRUCTS = [
  'sock',
  'sock_common',
  'tcp_sock',
  'bpf_map',
  'bpf_dynptr',
  'bpf_list_head',
  'bpf_list_node',
  'bpf_rb_root',
  'bpf_rb_node',
  'bpf_wq',
  'vm_area_struct',
] as const;
export type KnownStruct = (typeof KNOWN_STRUCTS)[number];

export class KernelTypes {
  private readonly functions = new Map<number, SpecialFunction>();
  private readonly structs = new Map<KnownStruct, number>();

  constructor(btf: Btf) {
    for (const name of SPECIAL_FUNCTIONS) {
      const id = btf.find(name, KIND_FUNC);
      if (id !== 0) this.functions.set(id, name);
    }
    for (const name of KNOWN_STRUCTS) this.structs.set(name, btf.find(name, KIND_STRUCT));
  }

  /** The name of a function with rules of its own, or null for all others. */
  special(functionId: number): SpecialFunction | null {
    return this.functions.get(functionId) ?? null;
  }

  /** BTF id of a struct, 0 where this kernel has none. */
  struct(name: KnownStruct): number {
    return this.structs.get(name)!;
  }
}

export function kernelTypes(env: Env): KernelTypes {
  env.kernelTypes ??= new KernelTypes(env.profile.btf);
  return env.kernelTypes;
}

/** The kernel struct that a pointer without BTF id stands for, 0 for other pointers (reg2btf_ids). */
export function structBehind(env: Env, base: number): number {
  switch (base) {
    case t.PTR_TO_SOCKET:
      return kernelTypes(env).struct('sock');
    case t.PTR_TO_SOCK_COMMON:
      return kernelTypes(env).struct('sock_common');
    case t.PTR_TO_TCP_SOCK:
      return kernelTypes(env).struct('tcp_sock');
    case t.CONST_PTR_TO_MAP:
      return kernelTypes(env).struct('bpf_map');
    default:
      return 0;
  }
}
