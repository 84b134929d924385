/* References, locks and exceptions across frames: functions that acquire and release, callbacks that must not. */
#include "../bpf.h"

struct bpf_spin_lock {
  __u32 val;
};
struct bpf_timer {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
struct task_struct {
  int pid;
} __core;
struct locked {
  struct bpf_spin_lock lock;
  __u32 value;
};
struct with_timer {
  __u64 count;
  struct bpf_timer timer;
};

HELPER(93, void, spin_lock, struct bpf_spin_lock *lock);
HELPER(94, void, spin_unlock, struct bpf_spin_lock *lock);
HELPER(131, void *, ringbuf_reserve, void *ring, __u64 size, __u64 flags);
HELPER(132, void, ringbuf_submit, void *data, __u64 flags);
HELPER(172, long, timer_cancel, void *timer);
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern void bpf_throw(__u64 cookie) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

MAP(2, __u32, struct locked, 1) locks SEC(".maps");
MAP(2, __u32, struct with_timer, 1) timers SEC(".maps");
struct {
  __uint(type, 27);
  __uint(max_entries, 4096);
} ring SEC(".maps");
struct {
  __uint(type, 12);
  __uint(max_entries, 2);
  __type(key, __u32);
  __array(values, struct {
    __uint(type, 2);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct with_timer);
  });
} outer SEC(".maps");
struct {
  __uint(type, 3);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __uint(value_size, 4);
} jumps SEC(".maps");

static __noinline __u64 *acquires(void) { return ringbuf_reserve(&ring, 16, 0); }
static __noinline void releases(__u64 *data) {
  hide(data);
  ringbuf_submit(data, 0);
}
SEC("tc") int across_functions(void *ctx) {
  __u64 *data = acquires();
  if (!data) return 0;
  data[0] = 1;
  releases(data);
  return 0;
}
SEC("tc") int leaked_by_function(void *ctx) { return acquires() ? 1 : 0; }
SEC("tc") int released_by_function_and_used(void *ctx) {
  __u64 *data = acquires();
  if (!data) return 0;
  releases(data);
  return data[0];
}

static long acquires_in_callback(__u32 i, void *ctx) {
  acquires();
  return 0;
}
SEC("tc") int callback_leaks(void *ctx) { return loop(4, acquires_in_callback, 0, 0); }
static long balanced_callback(__u32 i, void *ctx) {
  __u64 *data = acquires();
  if (data) releases(data);
  return 0;
}
SEC("tc") int callback_balanced(void *ctx) { return loop(4, balanced_callback, 0, 0); }
struct holder {
  __u64 *data;
};
static long releases_in_callback(__u32 i, void *ctx) {
  struct holder *h = ctx;
  ringbuf_submit(h->data, 0);
  return 1;
}
SEC("tc") int callback_releases(void *ctx) {
  struct holder h = {ringbuf_reserve(&ring, 16, 0)};
  if (!h.data) return 0;
  loop(1, releases_in_callback, &h, 0);
  return 0;
}
static long locks_in_callback(__u32 i, void *ctx) {
  struct locked *value = ctx;
  spin_lock(&value->lock);
  return 0;
}
SEC("tc") int callback_locks(void *ctx) {
  __u32 key = 0;
  struct locked *value = map_lookup_elem(&locks, &key);
  if (!value) return 0;
  return loop(2, locks_in_callback, value, 0);
}
static __noinline void unlocks(struct locked *value) {
  hide(value);
  spin_unlock(&value->lock);
}
SEC("tc") int unlocked_by_function(void *ctx) {
  __u32 key = 0;
  struct locked *value = map_lookup_elem(&locks, &key);
  if (!value) return 0;
  spin_lock(&value->lock);
  unlocks(value);
  return 0;
}
static long nested_inner(__u32 i, void *ctx) {
  *(int *)ctx += i;
  return 0;
}
static long nested_outer(__u32 i, void *ctx) {
  loop(i, nested_inner, ctx, 0);
  return 0;
}
SEC("tc") int nested_callbacks(void *ctx) {
  int sum = 0;
  loop(3, nested_outer, &sum, 0);
  return sum;
}
static long iterates(__u32 i, void *ctx) {
  struct bpf_iter_num it;
  int *v;
  bpf_iter_num_new(&it, 0, 3);
  while ((v = bpf_iter_num_next(&it))) *(int *)ctx += *v;
  bpf_iter_num_destroy(&it);
  return 0;
}
SEC("tc") int iterator_in_callback(void *ctx) {
  int sum = 0;
  loop(3, iterates, &sum, 0);
  return sum;
}
SEC("tc") int callback_in_iterator(void *ctx) {
  struct bpf_iter_num it;
  int *v, sum = 0;
  bpf_iter_num_new(&it, 0, 3);
  while ((v = bpf_iter_num_next(&it))) loop(*v, nested_inner, &sum, 0);
  bpf_iter_num_destroy(&it);
  return sum;
}

SEC("tc") int thrown_with_record(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  bpf_throw(0);
  return 0;
}
SEC("tc") int thrown_with_lock(void *ctx) {
  __u32 key = 0;
  struct locked *value = map_lookup_elem(&locks, &key);
  if (!value) return 0;
  spin_lock(&value->lock);
  bpf_throw(0);
  return 0;
}
SEC("tc") int thrown_in_section(void *ctx) {
  bpf_rcu_read_lock();
  bpf_throw(0);
  return 0;
}
static __noinline int throws(__u64 cookie) {
  hide(cookie);
  bpf_throw(cookie);
  return 0;
}
SEC("tc") int thrown_deeper_with_record(void *ctx) {
  __u64 *data = ringbuf_reserve(&ring, 16, 0);
  if (!data) return 0;
  throws(1);
  ringbuf_submit(data, 0);
  return 0;
}
SEC("xdp") int thrown_any_value(void *ctx) { return throws(get_prandom_u32()); }
SEC("cgroup_skb/egress") int thrown_out_of_range(void *ctx) {
  bpf_throw(64);
  return 1;
}

__noinline int on_exception(__u64 cookie) { return cookie & 1; }
SEC("tc") __attribute__((btf_decl_tag("exception_callback:on_exception"))) int caught(void *ctx) {
  bpf_throw(7);
  return 0;
}
__noinline int on_exception_out_of_range(__u64 cookie) { return 64; }
SEC("cgroup_skb/egress") __attribute__((btf_decl_tag("exception_callback:on_exception_out_of_range"))) int
caught_out_of_range(void *ctx) {
  bpf_throw(7);
  return 0;
}
__noinline int on_exception_again(__u64 cookie) {
  bpf_throw(cookie);
  return 0;
}
SEC("tc") __attribute__((btf_decl_tag("exception_callback:on_exception_again"))) int caught_again(void *ctx) {
  bpf_throw(7);
  return 0;
}
__noinline int on_exception_two(__u64 cookie, __u64 other) { return cookie + other; }
SEC("tc") __attribute__((btf_decl_tag("exception_callback:on_exception_two"))) int caught_with_two(void *ctx) {
  bpf_throw(7);
  return 0;
}
SEC("tc") __attribute__((btf_decl_tag("exception_callback:on_exception"))) int called_callback(void *ctx) {
  if (get_prandom_u32() == 1) bpf_throw(7);
  return on_exception(get_prandom_u32());
}

SEC("tc") int timer_of_inner_map(void *ctx) {
  __u32 key = 0;
  void *inner = map_lookup_elem(&outer, &key);
  struct with_timer *value;
  if (!inner) return 0;
  value = map_lookup_elem(inner, &key);
  if (!value) return 0;
  return timer_init(&value->timer, inner, 1);
}
SEC("tc") int timer_of_another_inner_map(void *ctx) {
  __u32 key = 0, other = 1;
  void *a = map_lookup_elem(&outer, &key), *b = map_lookup_elem(&outer, &other);
  struct with_timer *value;
  if (!a || !b) return 0;
  value = map_lookup_elem(a, &key);
  if (!value) return 0;
  return timer_init(&value->timer, b, 1);
}

SEC("tc") int tail_call_in_section(void *ctx) {
  bpf_rcu_read_lock();
  tail_call(ctx, &jumps, 0);
  bpf_rcu_read_unlock();
  return 0;
}
SEC("tc") int tail_call_without_preemption(void *ctx) {
  bpf_preempt_disable();
  tail_call(ctx, &jumps, 0);
  bpf_preempt_enable();
  return 0;
}
static __noinline int jumps_away(void *ctx, __u32 n) {
  tail_call(ctx, &jumps, n);
  return 1;
}
SEC("tc") int tail_call_in_function(void *ctx) { return jumps_away(ctx, get_prandom_u32()); }
static __noinline void jumps_without_result(void *ctx) { tail_call(ctx, &jumps, 0); }
SEC("tc") int tail_call_in_void_function(void *ctx) {
  jumps_without_result(ctx);
  return 0;
}
