/* Extensions and tracing programs of targets.c's programs. Sections name the function of the target. */
#include "../golden/bpf.h"

struct xdp_md {
  __u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};
struct __sk_buff {
  __u32 len, pkt_type, mark;
};
struct task_struct {
  int pid;
} __core;
struct pair {
  int a, b;
};
struct xdp_rxq_info {
  __u32 queue_index;
} __core;
struct xdp_buff {
  void *data;
  struct xdp_rxq_info *rxq;
} __core;
struct sk_buff {
  __u32 len;
} __core;
HELPER(23, long, redirect, __u32 ifindex, __u64 flags);
HELPER(25, long, perf_event_output, void *ctx, void *map, __u64 flags, void *data, __u64 size);
HELPER(44, long, xdp_adjust_head, struct xdp_md *ctx, int delta);
HELPER(14, __u64, get_current_pid_tgid, void);
HELPER(6, long, trace_printk, const char *fmt, __u32 size, ...);

static __always_inline int unused(__u64 value) {
  hide(value);
  return 0;
}

/* Extensions. */
SEC("freplace/check") int replaced(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  return data + 1 > end ? 7 : data[0];
}
SEC("freplace/check") int uses_stack(struct xdp_md *ctx) {
  volatile __u64 copy[4] = {ctx->rx_queue_index, ctx->ingress_ifindex, ktime_get_ns(), 1};
  barrier();
  return copy[0] + copy[ctx->rx_queue_index & 3];
}
static __noinline int below(struct xdp_md *ctx, int x) {
  hide(x);
  return ctx->ingress_ifindex + x;
}
__noinline int beside(struct xdp_md *ctx) {
  hide(ctx);
  return ctx->rx_queue_index;
}
SEC("freplace/check") int with_functions(struct xdp_md *ctx) { return below(ctx, 3) + beside(ctx) + redirect(1, 0); }
SEC("freplace/xdp_main") int whole(struct xdp_md *ctx) { return ctx->data_end - ctx->data > 60 ? 2 : 100; }
SEC("freplace/classify") int two_arguments(struct xdp_md *ctx, int kind) { return kind * 3 + ctx->rx_queue_index; }
SEC("freplace/wide") long numbers(__u64 a, __u32 b) { return a * b; }
SEC("freplace/check") int helper_refused(struct xdp_md *ctx) { return sk_fullsock((void *)0) ? 1 : 0; }
SEC("freplace/allowed") int in_range(struct __sk_buff *skb) { return skb->mark == 3; }
SEC("freplace/allowed") int out_of_range(struct __sk_buff *skb) { return 7; }
SEC("freplace/marks") int any_result(struct __sk_buff *skb) {
  skb->mark = 9;
  return 1000;
}
SEC("freplace/allowed") int not_writable(struct __sk_buff *skb) {
  skb->pkt_type = 9;
  return 1;
}
SEC("freplace/watch") int of_tracepoint(struct task_struct *task __attribute__((btf_decl_tag("arg:trusted")))) {
  return task->pid;
}
SEC("freplace/jumper") int of_jumper(struct __sk_buff *skb) { return skb->len; }
struct {
  __uint(type, 3);
  __uint(max_entries, 2);
  __uint(key_size, 4);
  __uint(value_size, 4);
} own_jumps SEC(".maps");
SEC("freplace/check") int jumps_on(struct xdp_md *ctx) {
  tail_call(ctx, &own_jumps, 1);
  return 3;
}

/* Extensions that are refused. */
SEC("freplace/check") int more_arguments(struct xdp_md *ctx, int x) { return x; }
SEC("freplace/check") void no_result(struct xdp_md *ctx) {}
SEC("freplace/check") char *pointer_result(struct xdp_md *ctx) { return 0; }
SEC("freplace/classify") int other_kind(struct xdp_md *ctx, void *kind) { return 0; }
SEC("freplace/wide") long other_size(__u32 a, __u32 b) { return a; }
SEC("freplace/check") int other_struct(struct __sk_buff *skb) { return skb->len; }
SEC("freplace/check") int pointer_to_int(int *x) { return x ? *x : 0; }
SEC("freplace/sums") int not_context(struct pair *p) { return p ? p->a : 0; }
SEC("freplace/hidden") int of_static(struct xdp_md *ctx, int x) { return x; }
SEC("freplace/dead") int of_dead(struct xdp_md *ctx) { return 1; }
SEC("freplace/missing") int of_missing(struct xdp_md *ctx) { return 1; }
SEC("freplace") int of_nothing(struct xdp_md *ctx) { return 1; }
SEC("freplace/check") int changes_packet(struct xdp_md *ctx) { return xdp_adjust_head(ctx, 4); }
SEC("freplace/grows") int changes_packet_too(struct xdp_md *ctx) { return xdp_adjust_head(ctx, 4); }
SEC("freplace/caught") int of_callback(__u64 cookie) { return 1; }
SEC("freplace/seen") int of_function_of_fentry(int x) { return 0; }
SEC("freplace/traces") int of_fentry(__u64 *ctx) { return 0; }
SEC("freplace/replaced") int of_extension(struct xdp_md *ctx) { return 1; }
SEC("freplace/xdp_untyped") int of_untyped(struct xdp_md *ctx) { return 1; }

/* Tracing. */
SEC("fentry/check") int enters(__u64 *ctx) {
  struct xdp_buff *xdp = (void *)ctx[0];
  return unused(xdp->rxq->queue_index);
}
SEC("fexit/classify") int leaves(__u64 *ctx) {
  struct xdp_buff *xdp = (void *)ctx[0];
  __u64 kind = ctx[1], result = ctx[2];
  const char fmt[] = "%d";
  trace_printk(fmt, 3, kind + result + (__u64)xdp->data);
  return 0;
}
SEC("fexit/wide") int leaves_numbers(__u64 *ctx) {
  __u64 value = 0;
  get_func_ret(ctx, &value);
  get_func_arg(ctx, 1, &value);
  const char fmt[] = "%d";
  trace_printk(fmt, 3, value + ctx[0] + ctx[2] + get_func_arg_cnt(ctx) + get_func_ip(ctx));
  return 0;
}
SEC("fentry/hidden") int enters_static(__u64 *ctx) { return unused(ctx[1]); }
SEC("fexit/xdp_untyped") int leaves_untyped(__u64 *ctx) {
  const char fmt[] = "%d";
  trace_printk(fmt, 3, ctx[0] + ctx[4] + ctx[5]);
  return 0;
}
SEC("fexit/xdp_untyped") int beyond_untyped(__u64 *ctx) { return unused(ctx[6]); }
SEC("fentry/xdp_untyped") int enters_untyped(__u64 *ctx) { return unused(ctx[5]); }
SEC("fentry/tc_main") int enters_main(__u64 *ctx) {
  struct sk_buff *skb = (void *)ctx[0];
  return unused(skb->len);
}
SEC("fentry/sums") int enters_memory(__u64 *ctx) { return unused(*(int *)ctx[0]); }
SEC("fmod_ret/check") int modifies(__u64 *ctx) { return 0; }
SEC("fentry.s/check") int sleeps(__u64 *ctx) { return 0; }
SEC("fentry/check") int beyond(__u64 *ctx) { return unused(ctx[1]); }
SEC("fentry/check") int returns_one(__u64 *ctx) { return 1; }
SEC("fentry/replaced") int enters_extension(__u64 *ctx) {
  struct xdp_buff *xdp = (void *)ctx[0];
  return unused(xdp->rxq->queue_index);
}
SEC("fentry/traces") int enters_fentry(__u64 *ctx) { return unused(ctx[0]); }
SEC("fentry/enters_fentry") int enters_twice(__u64 *ctx) { return 0; }
SEC("fexit/caught") int leaves_callback(__u64 *ctx) { return 0; }
SEC("fentry/dead") int enters_dead(__u64 *ctx) { return 0; }
