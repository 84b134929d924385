/* Programs that others are attached to (attached.c). */
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
HELPER(44, long, xdp_adjust_head, struct xdp_md *ctx, int delta);
extern void bpf_throw(__u64 cookie) __ksym;

static volatile const int never = 0;

__noinline int check(struct xdp_md *ctx) {
  hide(ctx);
  return ctx->rx_queue_index;
}
__noinline int classify(struct xdp_md *ctx, int kind) {
  hide(kind);
  return ctx->ingress_ifindex + kind;
}
__noinline long wide(__u64 a, __u32 b) {
  hide(a);
  return a + b;
}
__noinline int sums(struct pair *p) { return p ? p->a + p->b : 0; }
__noinline int grows(struct xdp_md *ctx) { return xdp_adjust_head(ctx, -8); }
__noinline int dead(struct xdp_md *ctx) { return ctx->rx_queue_index; }
static __noinline int hidden(struct xdp_md *ctx, int x) {
  hide(x);
  return ctx->rx_queue_index + x;
}

SEC("xdp") int xdp_main(struct xdp_md *ctx) {
  int sum = 0;
  if (never) sum += dead(ctx);
  sum += check(ctx) + classify(ctx, 3) + wide(4, 5) + hidden(ctx, 6);
  struct pair p = {1, 2};
  sum += sums(&p);
  return sum & 1 ? 2 : 1;
}
SEC("xdp") int xdp_grows(struct xdp_md *ctx) { return grows(ctx) ? 1 : 2; }
/* The kernel cannot tell what this one is called with. */
SEC("xdp") int xdp_untyped(void *ctx) { return 2; }

__noinline int allowed(struct __sk_buff *skb) {
  hide(skb);
  return skb->len > 100;
}
SEC("cgroup_skb/ingress") int ingress(struct __sk_buff *skb) {
  int yes = allowed(skb);
  hide(yes);
  return yes & 1;
}
__noinline int marks(struct __sk_buff *skb) {
  hide(skb);
  return skb->mark;
}
SEC("tc") int tc_main(struct __sk_buff *skb) { return marks(skb) == 3; }

__noinline int watch(struct task_struct *task __attribute__((btf_decl_tag("arg:trusted")))) { return task->pid; }
SEC("tp_btf/task_newtask") int tracepoint(__u64 *ctx) { return watch((struct task_struct *)ctx[0]); }

__noinline int caught(__u64 cookie) { return cookie ? 1 : 0; }
SEC("tc") __attribute__((btf_decl_tag("exception_callback:caught"))) int throws(struct __sk_buff *skb) {
  if (skb->len > 5) bpf_throw(7);
  return 0;
}

__noinline int seen(int x) {
  hide(x);
  return x;
}
SEC("fentry/bpf_fentry_test1") int traces(__u64 *ctx) {
  seen(ctx[0]);
  return 0;
}

struct {
  __uint(type, 3);
  __uint(max_entries, 2);
  __uint(key_size, 4);
  __uint(value_size, 4);
} jumps SEC(".maps");
__noinline int jumper(struct __sk_buff *skb) {
  tail_call(skb, &jumps, 0);
  return skb->len;
}
SEC("tc") int jumping(struct __sk_buff *skb) { return jumper(skb); }
