/* Arguments of helpers, of global functions and of kernel functions; references. */
#include "../bpf.h"

struct __sk_buff {
  __u32 len;
};
struct bpf_sock;
struct task_struct {
  int pid;
} __core;
struct cgroup;
struct bpf_cpumask {
  int usage;
} __core;
struct cpumask {
  unsigned long bits[1];
} __core;
struct pair {
  __u64 a, b;
};
struct holder {
  struct task_struct __kptr *task;
};
#define __tag(name) __attribute__((btf_decl_tag("arg:" #name)))

HELPER(4, long, probe_read, void *dst, __u32 size, const void *src);
HELPER(67, long, get_stack, void *ctx, void *buf, __u32 size, __u64 flags);
HELPER(131, void *, ringbuf_reserve, void *ring, __u64 size, __u64 flags);
HELPER(132, void, ringbuf_submit, void *data, __u64 flags);
HELPER(165, long, snprintf, char *str, __u32 size, const char *fmt, const __u64 *data, __u32 len);
HELPER(115, long, probe_read_kernel_str, void *dst, __u32 size, const void *src);
HELPER(28, __s64, csum_diff, void *from, __u32 from_size, void *to, __u32 to_size, __u32 seed);
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
extern void bpf_cpumask_set_cpu(unsigned int cpu, struct bpf_cpumask *mask) __ksym;
extern _Bool bpf_cpumask_test_cpu(unsigned int cpu, const struct cpumask *mask) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

MAP(2, __u32, struct pair, 4) pairs SEC(".maps");
MAP(2, __u32, struct holder, 1) holders SEC(".maps");
MAP(9, __u32, __u64, 4) lru SEC(".maps");
struct {
  __uint(type, 27);
  __uint(max_entries, 4096);
} ring SEC(".maps");
struct {
  __uint(type, 3);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
} jumps SEC(".maps");

SEC("tc") int record(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  data[1] = 1;
  ringbuf_submit(data, 0);
  return 0;
}
SEC("tc") int record_too_short(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  data[2] = 1;
  ringbuf_submit(data, 0);
  return 0;
}
SEC("tc") int record_moved(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  ringbuf_submit(data + 1, 0);
  return 0;
}
SEC("tc") int record_leaked(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  return data ? 1 : 0;
}
SEC("tc") int record_twice(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  ringbuf_submit(data, 0);
  ringbuf_submit(data, 0);
  return 0;
}
SEC("tc") int record_of_any_size(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, get_prandom_u32(), 0);
  if (!data) return 0;
  ringbuf_submit(data, 0);
  return 0;
}
SEC("tc") int record_in_array(void *ctx) {
  __u64 *data = ringbuf_reserve(&pairs, 16, 0);
  if (!data) return 0;
  ringbuf_submit(data, 0);
  return 0;
}

SEC("tc") int formatted(void *ctx) {
  static const char format[] = "%d %s %pI4";
  char text[32];
  __u64 data[] = {1, (__u64)text, (__u64)text};
  return snprintf(text, sizeof(text), format, data, sizeof(data));
}
SEC("tc") int formatted_unknown(void *ctx) {
  static const char format[] = "%d %n";
  char text[32];
  __u64 data[] = {1, 2};
  return snprintf(text, sizeof(text), format, data, sizeof(data));
}
SEC("tc") int formatted_too_many(void *ctx) {
  static const char format[] = "%d %d %d";
  char text[32];
  __u64 data[] = {1, 2};
  return snprintf(text, sizeof(text), format, data, sizeof(data));
}
SEC("tc") int formatted_from_stack(void *ctx) {
  char format[] = "%d", text[32];
  __u64 data[] = {1};
  return snprintf(text, sizeof(text), format, data, sizeof(data));
}

SEC("tc") int bounded_size(void *ctx) {
  char buffer[64];
  __u32 size = get_prandom_u32();
  if (size > sizeof(buffer)) return 0;
  __builtin_memset(buffer, 0, sizeof(buffer));
  return csum_diff(buffer, size & ~3, 0, 0, 0);
}
SEC("tc") int unbounded_size(void *ctx) {
  char buffer[64] = {};
  return csum_diff(buffer, get_prandom_u32(), 0, 0, 0);
}
SEC("tc") int negative_size(void *ctx) {
  char buffer[64] = {};
  __s64 size = (__s32)get_prandom_u32();
  hide(size);
  if (size > 64) return 0;
  return csum_diff(buffer, size, 0, 0, 0);
}
SEC("?kprobe/do_nanosleep") int text_length(void *ctx) {
  char text[16];
  long n = probe_read_kernel_str(text, sizeof(text), (void *)0);
  if (n < 0) return 0;
  return text[n & 15];
}
SEC("tc") int key_too_short(void *ctx) {
  __u16 key = 0;
  return map_lookup_elem(&pairs, &key) ? 1 : 0;
}
SEC("tc") int tail_call_with_record(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  tail_call(ctx, &jumps, 1);
  ringbuf_submit(data, 0);
  return 0;
}
SEC("tc") int lookup_in_jump_table(void *ctx) {
  __u32 key = 0;
  return map_lookup_elem(&jumps, &key) ? 1 : 0;
}

__noinline int global_sum(struct pair *pair) { return pair ? (int)(pair->a + pair->b) : 0; }
__noinline int global_nonnull(struct pair *pair __tag(nonnull)) { return (int)(pair->a + pair->b); }
__noinline int global_task(struct task_struct *task __tag(trusted)) { return task->pid; }
__noinline int global_unchecked(struct pair *pair) { return (int)pair->a; }
__noinline int global_context(struct __sk_buff *skb) { return skb->len; }

SEC("tc") int calls_global(void *ctx) {
  struct pair pair = {1, 2};
  return global_sum(&pair);
}
SEC("tc") int calls_global_null(void *ctx) { return global_sum(0); }
SEC("tc") int calls_nonnull_null(void *ctx) {
  __u32 key = 0;
  return global_nonnull(map_lookup_elem(&pairs, &key));
}
SEC("tc") int calls_global_short(void *ctx) {
  __u64 word = 1;
  return global_sum((void *)&word);
}
SEC("tc") int calls_unchecked(void *ctx) {
  struct pair pair = {1, 2};
  return global_unchecked(&pair);
}
SEC("tc") int calls_context(struct __sk_buff *skb) { return global_context(skb); }
SEC("tc") int calls_context_else(struct __sk_buff *skb) {
  struct pair pair = {1, 2};
  return global_context((void *)&pair);
}
SEC("?fentry/bpf_fentry_test1") int calls_trusted(void *ctx) {
  global_task(get_current_task_btf());
  return 0;
}

SEC("?fentry/bpf_fentry_test1") int task(void *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  if (!task) return 0;
  bpf_task_release(task);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_leaked(void *ctx) {
  struct task_struct *task = bpf_task_from_pid(1);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_not_checked(void *ctx) {
  bpf_task_release(bpf_task_from_pid(1));
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_not_owned(void *ctx) {
  bpf_task_release(get_current_task_btf());
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_acquired(void *ctx) {
  struct task_struct *task = bpf_task_acquire(get_current_task_btf());
  if (task) bpf_task_release(task);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_stored(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct task_struct *task, *old;
  if (!h) return 0;
  task = bpf_task_from_pid(1);
  if (!task) return 0;
  old = kptr_xchg(&h->task, task);
  if (old) bpf_task_release(old);
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_stored_directly(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  if (h) h->task = 0;
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int task_read(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct task_struct *task, *mine;
  if (!h) return 0;
  bpf_rcu_read_lock();
  task = h->task;
  if (task) {
    mine = bpf_task_acquire(task);
    if (mine) bpf_task_release(mine);
  }
  bpf_rcu_read_unlock();
  return 0;
}
SEC("?fentry/bpf_fentry_test1") int mask(void *ctx) {
  struct bpf_cpumask *mask = bpf_cpumask_create();
  int r;
  if (!mask) return 0;
  bpf_cpumask_set_cpu(0, mask);
  r = bpf_cpumask_test_cpu(0, (void *)mask);
  bpf_cpumask_release(mask);
  return r & 0;
}
SEC("?fentry/bpf_fentry_test1") int mask_is_no_task(void *ctx) {
  struct bpf_cpumask *mask = bpf_cpumask_create();
  if (!mask) return 0;
  bpf_task_release((void *)mask);
  return 0;
}
SEC("?kprobe/do_nanosleep") int mask_not_allowed(void *ctx) {
  struct bpf_cpumask *mask = bpf_cpumask_create();
  if (mask) bpf_cpumask_release(mask);
  return 0;
}

/* A structure without a name is no context, not even where the context has no name either. */
typedef struct {
  int x;
} anonymous;
__noinline int global_anonymous(anonymous *value) {
  hide(value);
  return value ? value->x : 0;
}
SEC("tc") int anonymous_in_tc(void *ctx) {
  anonymous value = {7};
  return global_anonymous(&value);
}
SEC("tc") int anonymous_is_context(void *ctx) { return global_anonymous(ctx); }
SEC("syscall") int anonymous_in_syscall(void *ctx) {
  anonymous value = {7};
  return global_anonymous(&value);
}
SEC("syscall") int anonymous_is_syscall_context(void *ctx) { return global_anonymous(ctx); }
