/** Names of special fields in the log (btf_field_type_name, include/linux/bpf.h, Linux 6.12). */
import * as field from '../../btf/record.js';

export function fieldTypeName(type: number): string {
  switch (type) {
    case field.FIELD_SPIN_LOCK:
      return 'bpf_spin_lock';
    case field.FIELD_TIMER:
      return 'bpf_timer';
    case field.FIELD_WORKQUEUE:
      return 'bpf_wq';
    case field.FIELD_KPTR_UNREF:
    case field.FIELD_KPTR_REF:
      return 'kptr';
    case field.FIELD_KPTR_PERCPU:
      return 'percpu_kptr';
    case field.FIELD_LIST_HEAD:
      return 'bpf_list_head';
    case field.FIELD_LIST_NODE:
      return 'bpf_list_node';
    case field.FIELD_RB_ROOT:
      return 'bpf_rb_root';
    case field.FIELD_RB_NODE:
      return 'bpf_rb_node';
    case field.FIELD_REFCOUNT:
      return 'bpf_refcount';
    default:
      return 'unknown';
  }
}
