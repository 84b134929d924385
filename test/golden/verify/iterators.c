/* Open-coded iterators: loops that converge, and iterators used out of turn. */
#include "../bpf.h"

struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));
struct bpf_iter_task {
  __u64 opaque[3];
} __attribute__((aligned(8)));
struct task_struct {
  int pid;
} __core;

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

static volatile int result;
int table[16];

SEC("tc") int sum(void *ctx) {
  struct bpf_iter_num it;
  int *v, s = 0;
  bpf_iter_num_new(&it, 0, 10);
  while ((v = bpf_iter_num_next(&it))) s += *v;
  bpf_iter_num_destroy(&it);
  return s;
}

SEC("tc") int indexed(void *ctx) {
  struct bpf_iter_num it;
  int *v, s = 0;
  bpf_iter_num_new(&it, 0, 16);
  while ((v = bpf_iter_num_next(&it))) {
    unsigned int i = *v;
    if (i < 16) s += table[i];
  }
  bpf_iter_num_destroy(&it);
  return s;
}

SEC("tc") int nested(void *ctx) {
  struct bpf_iter_num outer, inner;
  int *v, s = 0;
  bpf_iter_num_new(&outer, 0, 4);
  while ((v = bpf_iter_num_next(&outer))) {
    bpf_iter_num_new(&inner, 0, *v);
    while (bpf_iter_num_next(&inner)) s++;
    bpf_iter_num_destroy(&inner);
  }
  bpf_iter_num_destroy(&outer);
  return s;
}

SEC("tc") int left_early(void *ctx) {
  struct bpf_iter_num it;
  int *v, s = 0;
  bpf_iter_num_new(&it, 0, 10);
  while ((v = bpf_iter_num_next(&it))) {
    if (*v == 5) break;
    s += 2;
  }
  bpf_iter_num_destroy(&it);
  return s;
}

SEC("tc") int not_destroyed(void *ctx) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  return bpf_iter_num_next(&it) ? 1 : 0;
}

SEC("tc") int not_begun(void *ctx) {
  struct bpf_iter_num it = {};
  bpf_iter_num_destroy(&it);
  return 0;
}

SEC("tc") int begun_twice(void *ctx) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_new(&it, 0, 10);
  bpf_iter_num_destroy(&it);
  return 0;
}

SEC("tc") int not_checked(void *ctx) {
  struct bpf_iter_num it;
  int s;
  bpf_iter_num_new(&it, 0, 10);
  s = *bpf_iter_num_next(&it);
  bpf_iter_num_destroy(&it);
  return s;
}

SEC("tc") int overwritten(void *ctx) {
  struct bpf_iter_num it;
  bpf_iter_num_new(&it, 0, 10);
  *(volatile __u64 *)&it = 1;
  bpf_iter_num_destroy(&it);
  return 0;
}

SEC("tc") int of_another_kind(void *ctx) {
  struct bpf_iter_task it;
  bpf_iter_num_new((void *)&it, 0, 10);
  bpf_iter_task_destroy(&it);
  return 0;
}

SEC("tc") int in_the_heap(void *ctx) {
  bpf_iter_num_new((void *)table, 0, 10);
  return 0;
}

static __noinline int step(struct bpf_iter_num *it) {
  int *v = bpf_iter_num_next(it);
  return v ? *v : -1;
}
SEC("tc") int in_a_function(void *ctx) {
  struct bpf_iter_num it;
  int v, s = 0;
  bpf_iter_num_new(&it, 0, 10);
  while ((v = step(&it)) >= 0) s += v & 3;
  bpf_iter_num_destroy(&it);
  return s;
}

SEC("?fentry.s/bpf_fentry_test1") int tasks(void *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, 0, 0);
  while ((task = bpf_iter_task_next(&it))) result += task->pid;
  bpf_iter_task_destroy(&it);
  bpf_rcu_read_unlock();
  return 0;
}

SEC("?fentry.s/bpf_fentry_test1") int tasks_outside_rcu(void *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  bpf_iter_task_new(&it, 0, 0);
  while ((task = bpf_iter_task_next(&it))) result += task->pid;
  bpf_iter_task_destroy(&it);
  return 0;
}

SEC("?fentry.s/bpf_fentry_test1") int section_left(void *ctx) {
  struct bpf_iter_task it;
  struct task_struct *task;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, 0, 0);
  bpf_rcu_read_unlock();
  while ((task = bpf_iter_task_next(&it))) result += task->pid;
  bpf_iter_task_destroy(&it);
  return 0;
}
