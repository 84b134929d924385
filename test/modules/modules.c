/* Functions, types and tracepoints of the kernel's modules: nf_conntrack and sunrpc. */
#include "../golden/bpf.h"

struct xdp_md {
  __u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};
struct __sk_buff {
  __u32 len;
};
struct bpf_sock_tuple {
  struct {
    __u32 saddr, daddr;
    __u16 sport, dport;
  } ipv4;
};
struct nf_conn {
  unsigned long status;
  __u32 timeout;
} __core;
struct bpf_ct_opts {
  int netns_id;
  int error;
  __u8 l4proto;
  __u8 dir;
  __u16 ct_zone_id;
  __u8 ct_zone_dir;
  __u8 reserved[3];
};
struct bpf_ct_opts___core {
  int error;
  __u8 dir;
  __u8 no_such_member;
} __core;
struct no_such_struct {
  int a;
} __core;
struct rpc_clnt {
  unsigned int cl_clid;
} __core;

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 size, struct bpf_ct_opts *opts,
                                         __u32 opts_size) __ksym;
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *ctx, struct bpf_sock_tuple *tuple, __u32 size,
                                         struct bpf_ct_opts *opts, __u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;
extern int bpf_ct_change_timeout(struct nf_conn *ct, __u32 timeout) __ksym;
extern void bpf_no_such_function(struct nf_conn *ct) __ksym __attribute__((weak));
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

static __always_inline int unused(__u64 value) {
  hide(value);
  return 0;
}

static __always_inline int everywhere(void) {
  int id = -1;
  hide(id);
  return id;
}

SEC("xdp") int looks_up(struct xdp_md *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts opts = {everywhere()};
  struct nf_conn *ct = bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, 12);
  if (!ct) return opts.error ? 1 : 2;
  int status = ct->status;
  bpf_ct_change_timeout(ct, 5);
  bpf_ct_release(ct);
  return status & 1;
}
SEC("tc") int looks_up_skb(struct __sk_buff *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts opts = {everywhere()};
  bpf_rcu_read_lock();
  struct nf_conn *ct = bpf_skb_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, 12);
  if (ct) bpf_ct_release(ct);
  bpf_rcu_read_unlock();
  return 0;
}
SEC("xdp") int keeps(struct xdp_md *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts opts = {everywhere()};
  return !bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, 12);
}
SEC("xdp") int unchecked(struct xdp_md *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts opts = {everywhere()};
  bpf_ct_release(bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, 12));
  return 0;
}
SEC("tc") int other_context(struct __sk_buff *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts opts = {everywhere()};
  struct nf_conn *ct = bpf_xdp_ct_lookup((void *)ctx, &tuple, sizeof(tuple.ipv4), &opts, 12);
  if (ct) bpf_ct_release(ct);
  return 0;
}
SEC("kprobe/x") int other_type(void *ctx) {
  bpf_ct_release(ctx);
  return 0;
}
SEC("xdp") int missing_function(struct xdp_md *ctx) {
  if (bpf_no_such_function) bpf_no_such_function(0);
  return 1;
}
SEC("xdp") int relocated(struct xdp_md *ctx) {
  struct bpf_ct_opts___core *opts = 0;
  int dir = __builtin_preserve_field_info(opts->dir, 0);
  int size = __builtin_preserve_type_info(*(struct bpf_ct_opts___core *)0, 1);
  int absent = __builtin_preserve_field_info(opts->no_such_member, 2);
  int nothing = __builtin_preserve_type_info(*(struct no_such_struct *)0, 0);
  return dir + size + absent + nothing;
}
SEC("fentry/nf_ct_delete") int enters(__u64 *ctx) {
  struct nf_conn *ct = (void *)ctx[0];
  return unused(ct->status + ctx[1]);
}
SEC("fexit/nf_conntrack:nf_conntrack_in") int leaves(__u64 *ctx) { return unused(ctx[2]); }
SEC("fentry/nf_conntrack:tcp_v4_rcv") int of_kernel(__u64 *ctx) { return 0; }
SEC("fentry/sunrpc:nf_ct_delete") int of_other_module(__u64 *ctx) { return 0; }
SEC("fmod_ret/nf_conntrack_in") int modifies(__u64 *ctx) { return 0; }
SEC("fentry.s/nf_ct_delete") int sleeps(__u64 *ctx) { return 0; }
SEC("tp_btf/rpc_clnt_free") int tracepoint(__u64 *ctx) {
  struct rpc_clnt *client = (void *)ctx[0];
  if (!client) return 0;
  return unused(client->cl_clid);
}
SEC("tp_btf/rpc_clnt_free") int tracepoint_unchecked(__u64 *ctx) {
  struct rpc_clnt *client = (void *)ctx[0];
  return unused(client->cl_clid);
}
