/* Callbacks of loops, maps, timers and work queues; exceptions. */
#include "../bpf.h"

struct bpf_timer {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_wq {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct with_timer {
  __u64 count;
  struct bpf_timer timer;
};
struct with_wq {
  __u64 count;
  struct bpf_wq wq;
};
struct task_struct;

MAP(2, __u32, struct with_timer, 1) timers SEC(".maps");
MAP(2, __u32, struct with_timer, 1) other_timers SEC(".maps");
MAP(2, __u32, struct with_wq, 1) queues SEC(".maps");
MAP(1, __u32, __u64, 8) hash SEC(".maps");
struct {
  __uint(type, 22);
  __uint(max_entries, 8);
  __uint(value_size, 8);
} queue SEC(".maps");

HELPER(171, long, timer_start, void *timer, __u64 ns, __u64 flags);
HELPER(172, long, timer_cancel, void *timer);
HELPER(180, long, find_vma, struct task_struct *task, __u64 addr, void *callback, void *ctx, __u64 flags);
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value), unsigned int flags,
                                    void *aux) __ksym;
extern void bpf_throw(__u64 cookie) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

static volatile int result;

struct counter {
  int count, limit;
};

static long count_up(__u32 i, void *ctx) {
  struct counter *c = ctx;
  c->count += i;
  return c->count > c->limit;
}
SEC("tc") int looped(void *ctx) {
  struct counter c = {0, 5};
  loop(10, count_up, &c, 0);
  return c.count;
}

static long two(__u32 i, void *ctx) { return 2; }
SEC("tc") int loop_out_of_range(void *ctx) { return loop(10, two, 0, 0); }

static long null_context(__u32 i, void *ctx) { return *(int *)ctx; }
SEC("tc") int loop_without_context(void *ctx) { return loop(10, null_context, 0, 0); }

static long index_of(__u32 i, void *ctx) {
  struct counter *c = ctx;
  int table[4] = {1, 2, 3, 4};
  if (i < 4) c->count = table[i];
  return 0;
}
SEC("tc") int loop_indexed(void *ctx) {
  struct counter c = {0, 5};
  loop(get_prandom_u32(), index_of, &c, 0);
  return c.count;
}

static long each(void *map, const __u32 *key, __u64 *value, void *ctx) {
  *value += *key;
  return 0;
}
SEC("tc") int for_each(void *ctx) { return for_each_map_elem(&hash, each, 0, 0); }

static long each_key_written(void *map, __u32 *key, __u64 *value, void *ctx) {
  *key = 1;
  return 0;
}
SEC("tc") int for_each_key_written(void *ctx) { return for_each_map_elem(&hash, each_key_written, 0, 0); }
SEC("tc") int for_each_of_queue(void *ctx) { return for_each_map_elem(&queue, each, 0, 0); }

static int fire(void *map, __u32 *key, struct with_timer *value) {
  value->count++;
  timer_start(&value->timer, 1000, 0);
  return 0;
}
SEC("tc") int timer_armed(void *ctx) {
  __u32 key = 0;
  struct with_timer *value = map_lookup_elem(&timers, &key);
  if (!value) return 0;
  timer_init(&value->timer, &timers, 1);
  timer_set_callback(&value->timer, fire);
  return timer_start(&value->timer, 0, 0);
}

SEC("tc") int timer_of_another_map(void *ctx) {
  __u32 key = 0;
  struct with_timer *value = map_lookup_elem(&timers, &key);
  if (!value) return 0;
  return timer_init(&value->timer, &other_timers, 1);
}

static int fire_one(void *map, __u32 *key, struct with_timer *value) { return 1; }
SEC("tc") int timer_out_of_range(void *ctx) {
  __u32 key = 0;
  struct with_timer *value = map_lookup_elem(&timers, &key);
  if (!value) return 0;
  return timer_set_callback(&value->timer, fire_one);
}

SEC("tc") int timer_beside(void *ctx) {
  __u32 key = 0;
  struct with_timer *value = map_lookup_elem(&timers, &key);
  if (!value) return 0;
  return timer_cancel(&value->count);
}

SEC("tc") int timer_written(void *ctx) {
  __u32 key = 0;
  struct with_timer *value = map_lookup_elem(&timers, &key);
  if (!value) return 0;
  value->timer.opaque[0] = 1;
  return 0;
}

SEC("?raw_tp/sys_enter") int timer_traced(void *ctx) {
  __u32 key = 0;
  struct with_timer *value = map_lookup_elem(&timers, &key);
  return value ? timer_cancel(&value->timer) : 0;
}

static int work(void *map, int *key, void *value) {
  struct with_wq *mine = value;
  mine->count++;
  return 0;
}
SEC("tc") int work_queued(void *ctx) {
  __u32 key = 0;
  struct with_wq *value = map_lookup_elem(&queues, &key);
  if (!value) return 0;
  if (bpf_wq_init(&value->wq, &queues, 0)) return 0;
  if (bpf_wq_set_callback_impl(&value->wq, work, 0, 0)) return 0;
  return bpf_wq_start(&value->wq, 0);
}
SEC("tc") int work_beside(void *ctx) {
  __u32 key = 0;
  struct with_wq *value = map_lookup_elem(&queues, &key);
  if (!value) return 0;
  return bpf_wq_start((void *)&value->count, 0);
}

static long see_vma(struct task_struct *task, void *vma, void *ctx) { return 0; }
SEC("?fentry/bpf_fentry_test1") int vma(void *ctx) {
  find_vma(get_current_task_btf(), 0, see_vma, 0, 0);
  return 0;
}

SEC("tc") int thrown(void *ctx) {
  if (get_prandom_u32() == 1) bpf_throw(1);
  return 0;
}

static __noinline int throws(int x) {
  if (x) bpf_throw(x);
  return x;
}
SEC("tc") int thrown_deeper(void *ctx) { return throws(get_prandom_u32() & 1); }

static long throw_in_loop(__u32 i, void *ctx) {
  bpf_throw(0);
  return 0;
}
SEC("tc") int thrown_in_callback(void *ctx) { return loop(4, throw_in_loop, 0, 0); }

SEC("tc") int rcu_section(void *ctx) {
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}
SEC("tc") int rcu_section_nested(void *ctx) {
  bpf_rcu_read_lock();
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}
SEC("tc") int rcu_section_left_open(void *ctx) {
  bpf_rcu_read_lock();
  return 0;
}
SEC("tc") int rcu_section_not_entered(void *ctx) {
  bpf_rcu_read_unlock();
  return 0;
}
SEC("tc") int without_preemption(void *ctx) {
  bpf_preempt_disable();
  bpf_preempt_disable();
  bpf_preempt_enable();
  bpf_preempt_enable();
  return 0;
}
SEC("tc") int preemption_left_disabled(void *ctx) {
  bpf_preempt_disable();
  return 0;
}
SEC("tc") int preemption_not_disabled(void *ctx) {
  bpf_preempt_enable();
  return 0;
}
