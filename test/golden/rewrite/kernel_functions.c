/* Kernel functions that get arguments, have variants, or are moves. */
#include "../bpf.h"

struct bpf_list_head {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
  __u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_spin_lock {
  __u32 val;
};
struct bpf_dynptr {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct __sk_buff {
  __u32 len;
};
struct sk_buff {
  unsigned int len;
} __core;

struct plain {
  __u64 a, b;
};

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *obj, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *obj, void *meta) __ksym;
extern void *bpf_cast_to_kern_ctx(void *obj) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

static volatile int result;

SEC("tc") int objects(void *ctx) {
  struct plain *p = bpf_obj_new_impl(__builtin_btf_type_id(*(struct plain *)0, 0), 0);
  int r;
  if (!p) return 0;
  r = (int)p->b;
  bpf_obj_drop_impl(p, 0);
  return r;
}

struct holder {
  struct plain __percpu_kptr *p;
};
MAP(2, __u32, struct holder, 1) holders SEC(".maps");

SEC("?fentry.s/bpf_fentry_test1") int percpu_objects(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct plain __percpu_kptr *p;
  struct plain *old, *mine;
  int r = 0;
  if (!h) return 0;
  p = bpf_percpu_obj_new_impl(__builtin_btf_type_id(*(struct plain *)0, 0), 0);
  if (!p) return 0;
  old = kptr_xchg(&h->p, p);
  if (old) bpf_percpu_obj_drop_impl(old, 0);
  bpf_rcu_read_lock();
  p = h->p;
  if (p) {
    mine = this_cpu_ptr(p);
    r = (int)mine->a;
    mine = per_cpu_ptr(p, 0);
    if (mine) r += (int)mine->b;
  }
  bpf_rcu_read_unlock();
  result = r;
  return 0;
}

SEC("tc") int kernel_context(struct __sk_buff *skb) {
  struct sk_buff *kskb = bpf_cast_to_kern_ctx(skb);
  return kskb->len;
}

SEC("tc") int packet_writable(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  bpf_dynptr_from_skb(skb, 0, &ptr);
  return bpf_dynptr_size(&ptr);
}

SEC("cgroup_skb/egress") int packet_read_only(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  bpf_dynptr_from_skb(skb, 0, &ptr);
  return bpf_dynptr_size(&ptr) & 1;
}
