/** What record.ts asks of the kernel. */
export const MODULES: readonly string[] = ['nf_conntrack', 'sunrpc'];

/** Functions of modules whose addresses code holds. */
export const FUNCTIONS: readonly string[] = [
  'bpf_xdp_ct_lookup',
  'bpf_skb_ct_lookup',
  'bpf_ct_release',
  'bpf_ct_change_timeout',
];

export const PROGRAMS: readonly string[] = (
  'looks_up looks_up_skb keeps unchecked other_context other_type missing_function relocated enters leaves of_kernel ' +
  'of_other_module modifies sleeps tracepoint tracepoint_unchecked'
).split(' ');
