/* Kernel objects by helpers and kernel functions: sockets, tasks, per-CPU objects, casts, storage; sleepable programs. */
#include "../bpf.h"

struct bpf_sock {
  __u32 bound_dev_if, family, type, protocol, mark;
};
struct bpf_sock_tuple {
  __u32 saddr, daddr;
  __u16 sport, dport;
};
struct bpf_spin_lock {
  __u32 val;
};
struct bpf_dynptr {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct __sk_buff {
  __u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex,
      ifindex, tc_index, cb[5], hash, tc_classid, data, data_end;
};
struct xdp_md {
  __u32 data, data_end;
};
struct sk_buff {
  unsigned int len;
} __core;
struct mm_struct {
  unsigned long start_stack;
} __core;
struct task_struct {
  int pid;
  struct mm_struct *mm;
  struct task_struct *real_parent, *last_wakee;
} __core;
struct cgroup {
  int level;
} __core;
struct path;
struct file {
  unsigned int f_flags;
} __core;
struct small {
  __u64 a, b;
};
struct large {
  __u64 words[80];
};
struct with_pointer {
  void *p;
};
struct mine {
  __u64 value;
};
struct locked {
  struct bpf_spin_lock lock;
  __u32 value;
};
struct holder {
  struct mine __kptr *mine;
  struct small __percpu_kptr *percpu;
};
#define type_id(t) __builtin_btf_type_id(*(t *)0, 0)

HELPER(85, struct bpf_sock *, sk_lookup_udp, void *ctx, void *tuple, __u32 size, __u64 netns, __u64 flags);
HELPER(93, void, spin_lock, struct bpf_spin_lock *lock);
HELPER(94, void, spin_unlock, struct bpf_spin_lock *lock);
HELPER(26, long, skb_load_bytes, const void *skb, __u32 offset, void *to, __u32 len);
HELPER(9, long, skb_store_bytes, void *skb, __u32 offset, const void *from, __u32 len, __u64 flags);
HELPER(39, long, skb_pull_data, void *skb, __u32 len);
HELPER(148, long, copy_from_user, void *dst, __u32 size, const void *user);
HELPER(113, long, probe_read_kernel, void *dst, __u32 size, const void *src);
HELPER(147, long, d_path, struct path *path, char *buf, __u32 size);
HELPER(157, long, task_storage_delete, void *map, void *task);
extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 off, void *buffer, __u32 size) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern struct cgroup *bpf_cgroup_from_id(__u64 id) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgroup) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

MAP(2, __u32, struct holder, 1) holders SEC(".maps");
MAP(2, __u32, struct locked, 1) locks SEC(".maps");
MAP(6, __u32, __u64, 1) percpu SEC(".maps");
struct {
  __uint(type, 29);
  __uint(map_flags, 1);
  __type(key, int);
  __type(value, __u64);
} task_storage SEC(".maps");
struct {
  __uint(type, 12);
  __uint(max_entries, 2);
  __type(key, __u32);
  __array(values, struct {
    __uint(type, 2);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct locked);
  });
} outer SEC(".maps");

static volatile int result;

SEC("tc") int socket_found(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = sk_lookup_tcp(ctx, &tuple, sizeof(tuple), -1, 0);
  int r = 0;
  if (sk) {
    r = sk->family;
    sk_release(sk);
  }
  return r;
}
SEC("tc") int socket_leaked(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  sk_lookup_udp(ctx, &tuple, sizeof(tuple), -1, 0);
  return 0;
}
SEC("tc") int socket_not_checked(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  sk_release(sk_lookup_udp(ctx, &tuple, sizeof(tuple), -1, 0));
  return 0;
}
SEC("tc") int socket_used_after(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = sk_lookup_tcp(ctx, &tuple, sizeof(tuple), -1, 0);
  if (!sk) return 0;
  sk_release(sk);
  return sk->family;
}
SEC("tc") int socket_cast(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = sk_lookup_tcp(ctx, &tuple, sizeof(tuple), -1, 0), *full;
  int r = 0;
  if (!sk) return 0;
  full = sk_fullsock(sk);
  if (full) r = full->mark;
  sk_release(sk);
  return r;
}
SEC("tc") int socket_cast_used_after(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = sk_lookup_tcp(ctx, &tuple, sizeof(tuple), -1, 0), *full;
  if (!sk) return 0;
  full = sk_fullsock(sk);
  if (!full) {
    sk_release(sk);
    return 0;
  }
  sk_release(sk);
  return full->mark;
}
SEC("tc") int socket_written(void *ctx) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *sk = sk_lookup_tcp(ctx, &tuple, sizeof(tuple), -1, 0);
  if (!sk) return 0;
  sk->mark = 1;
  sk_release(sk);
  return 0;
}

SEC("tc") int packet_moved(struct __sk_buff *skb) {
  __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 4 > end) return 0;
  skb_pull_data(skb, 4);
  return data[0];
}
SEC("tc") int packet_handed_on(struct __sk_buff *skb) {
  __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 8 > end) return 0;
  return skb_store_bytes(skb, 0, data, 8, 0);
}
SEC("tc") int packet_too_short(struct __sk_buff *skb) {
  __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  if (data + 4 > end) return 0;
  return skb_store_bytes(skb, 0, data, 8, 0);
}
SEC("xdp") int packet_as_key(struct xdp_md *xdp) {
  __u8 *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
  if (data + 4 > end) return 0;
  return map_lookup_elem(&locks, data) ? 1 : 2;
}
SEC("tc") int slice_written(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  __u8 buffer[8] = {}, *data;
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 0;
  data = bpf_dynptr_slice_rdwr(&ptr, 0, buffer, sizeof(buffer));
  if (data) data[7] = 1;
  return 0;
}
SEC("socket") int slice_not_written(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  __u8 buffer[8] = {}, *data;
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 0;
  data = bpf_dynptr_slice_rdwr(&ptr, 0, buffer, sizeof(buffer));
  return data ? data[0] : 0;
}

SEC("tc") int value_locked(void *ctx) {
  __u32 key = 0;
  struct locked *value = map_lookup_elem(&locks, &key);
  if (!value) return 0;
  spin_lock(&value->lock);
  value->value++;
  spin_unlock(&value->lock);
  return 0;
}
SEC("tc") int two_lookups(void *ctx) {
  __u32 key = 0;
  struct locked *a = map_lookup_elem(&locks, &key), *b = map_lookup_elem(&locks, &key);
  if (!a || !b) return 0;
  spin_lock(&a->lock);
  spin_unlock(&b->lock);
  return 0;
}
SEC("tc") int lock_written(void *ctx) {
  __u32 key = 0;
  struct locked *value = map_lookup_elem(&locks, &key);
  if (value) value->lock.val = 0;
  return 0;
}
SEC("tc") int inner_locked(void *ctx) {
  __u32 key = 0;
  void *inner = map_lookup_elem(&outer, &key);
  struct locked *value;
  if (!inner) return 0;
  value = map_lookup_elem(inner, &key);
  if (!value) return 0;
  spin_lock(&value->lock);
  value->value = 1;
  spin_unlock(&value->lock);
  return 0;
}
SEC("tc") int inner_not_checked(void *ctx) {
  __u32 key = 0;
  return map_lookup_elem(map_lookup_elem(&outer, &key), &key) ? 1 : 0;
}
SEC("tc") int percpu_value(void *ctx) {
  __u32 key = 0;
  __u64 *value = map_lookup_percpu_elem(&percpu, &key, 0);
  return value ? (int)*value : 0;
}
SEC("tc") int percpu_of_array(void *ctx) {
  __u32 key = 0;
  return map_lookup_percpu_elem(&locks, &key, 0) ? 1 : 0;
}

SEC("tc") int stashed(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct mine *mine, *old;
  if (!h) return 0;
  mine = bpf_obj_new_impl(type_id(struct mine), 0);
  if (!mine) return 0;
  mine->value = 1;
  old = kptr_xchg(&h->mine, mine);
  if (old) bpf_obj_drop_impl(old, 0);
  return 0;
}
SEC("tc") int stashed_and_used(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct mine *mine, *old;
  if (!h) return 0;
  mine = bpf_obj_new_impl(type_id(struct mine), 0);
  if (!mine) return 0;
  old = kptr_xchg(&h->mine, mine);
  if (old) bpf_obj_drop_impl(old, 0);
  return mine->value;
}
SEC("tc") int stashed_null(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct mine *old;
  if (!h) return 0;
  old = kptr_xchg(&h->mine, 0);
  if (old) bpf_obj_drop_impl(old, 0);
  return 0;
}
SEC("tc") int stashed_wrong_type(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct small *small, *old;
  if (!h) return 0;
  small = bpf_obj_new_impl(type_id(struct small), 0);
  if (!small) return 0;
  old = kptr_xchg(&h->mine, small);
  if (old) bpf_obj_drop_impl(old, 0);
  return 0;
}
SEC("tc") int stashed_leaked(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  if (!h) return 0;
  kptr_xchg(&h->mine, 0);
  return 0;
}
SEC("tc") int percpu_object(void *ctx) {
  struct small *p = bpf_percpu_obj_new_impl(type_id(struct small), 0);
  if (!p) return 0;
  bpf_percpu_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") int percpu_object_too_large(void *ctx) {
  struct large *p = bpf_percpu_obj_new_impl(type_id(struct large), 0);
  if (p) bpf_percpu_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") int percpu_object_with_pointer(void *ctx) {
  struct with_pointer *p = bpf_percpu_obj_new_impl(type_id(struct with_pointer), 0);
  if (p) bpf_percpu_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") int percpu_object_read(void *ctx) {
  struct small *p = bpf_percpu_obj_new_impl(type_id(struct small), 0);
  int r;
  if (!p) return 0;
  r = p->a;
  bpf_percpu_obj_drop_impl(p, 0);
  return r;
}
SEC("tc") int percpu_object_dropped_wrong(void *ctx) {
  struct small *p = bpf_percpu_obj_new_impl(type_id(struct small), 0);
  if (p) bpf_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") int object_of_number(void *ctx) {
  void *p = bpf_obj_new_impl(type_id(int), 0);
  if (p) bpf_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") int object_of_any_type(void *ctx) {
  void *p = bpf_obj_new_impl(get_prandom_u32(), 0);
  if (p) bpf_obj_drop_impl(p, 0);
  return 0;
}
SEC("tc") int object_out_of_bounds(void *ctx) {
  struct small *p = bpf_obj_new_impl(type_id(struct small), 0);
  if (!p) return 0;
  (&p->a)[2] = 1;
  bpf_obj_drop_impl(p, 0);
  return 0;
}

SEC("tc") int kernel_context(struct __sk_buff *skb) {
  struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
  return kernel->len;
}
SEC("tc") int kernel_context_written(struct __sk_buff *skb) {
  struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
  kernel->len = 1;
  return 0;
}
SEC("tc") int kernel_context_of_stack(struct __sk_buff *skb) {
  __u64 word = 0;
  struct sk_buff *kernel = bpf_cast_to_kern_ctx(&word);
  return kernel->len;
}
SEC("tc") int cast(struct __sk_buff *skb) {
  struct task_struct *task = bpf_rdonly_cast((void *)0, __builtin_btf_type_id(*(struct task_struct *)0, 1));
  return task->pid;
}
SEC("tc") int cast_to_number(struct __sk_buff *skb) {
  int *n = bpf_rdonly_cast((void *)0, __builtin_btf_type_id(*(int *)0, 1));
  return *n;
}
SEC("?fentry/bpf_fentry_test1") int cast_is_not_trusted(void *ctx) {
  struct task_struct *task = bpf_rdonly_cast(get_current_task_btf(), __builtin_btf_type_id(*(struct task_struct *)0, 1));
  task = bpf_task_acquire(task);
  if (task) bpf_task_release(task);
  return 0;
}

SEC("?fentry/bpf_fentry_test1") int parent_walked(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  result = task->real_parent->pid + task->mm->start_stack;
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int parent_acquired(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  task = bpf_task_acquire(task->real_parent);
  if (task) bpf_task_release(task);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int wakee_acquired(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  task = bpf_task_acquire(task->last_wakee);
  if (task) bpf_task_release(task);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_written(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  task->pid = 1;
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_stored_as_value(void *ctx) {
  __u64 *value = task_storage_get(&task_storage, get_current_task_btf(), 0, 1);
  if (value) *value = 1;
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int storage_of_null(void *ctx) {
  return task_storage_get(&task_storage, 0, 0, 0) ? 0 : 0;
}
SEC("?fentry/bpf_fentry_test1") int storage_in_array(void *ctx) {
  return task_storage_get(&locks, get_current_task_btf(), 0, 0) ? 0 : 0;
}
SEC("?fentry/bpf_fentry_test1") int cgroup(void *ctx) {
  struct cgroup *cgroup = bpf_cgroup_from_id(1);
  if (!cgroup) return 0;
  result = cgroup->level;
  bpf_cgroup_release(cgroup);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int cgroup_as_task(void *ctx) {
  struct cgroup *cgroup = bpf_cgroup_from_id(1);
  if (!cgroup) return 0;
  bpf_task_release((void *)cgroup);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int may_not_sleep(void *ctx) {
  char c;
  copy_from_user(&c, 1, 0);
  return 0;
}
SEC("?fentry.s/bpf_fentry_test1") int sleeps(void *ctx) {
  char c;
  copy_from_user(&c, 1, 0);
  return 0;
}
SEC("?fentry.s/bpf_fentry_test1") int sleeps_in_section(void *ctx) {
  char c;
  bpf_rcu_read_lock();
  copy_from_user(&c, 1, 0);
  bpf_rcu_read_unlock();
  return 0;
}
SEC("?fentry.s/bpf_fentry_test1") int parent_outside_section(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  task = bpf_task_acquire(task->real_parent);
  if (task) bpf_task_release(task);
  return 0;
}
SEC("?fentry.s/bpf_fentry_test1") int parent_in_section(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  bpf_rcu_read_lock();
  task = bpf_task_acquire(task->real_parent);
  if (task) bpf_task_release(task);
  bpf_rcu_read_unlock();
  return 0;
}
SEC("?fentry.s/bpf_fentry_test1") int parent_after_section(void *ctx) {
  struct task_struct *task = get_current_task_btf(), *parent;
  bpf_rcu_read_lock();
  parent = task->real_parent;
  bpf_rcu_read_unlock();
  task = bpf_task_acquire(parent);
  if (task) bpf_task_release(task);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int path_not_allowed(void *ctx) {
  char text[8];
  d_path(0, text, sizeof(text));
  return 0;
}
SEC("tc") int needs_tracing(void *ctx) { return get_func_ip(ctx); }
