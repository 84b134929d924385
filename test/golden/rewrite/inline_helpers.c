/* Helpers that become instructions, those the JIT makes, an exchanged pointer, a 32-bit compare-and-exchange. */
#include "../bpf.h"

struct task_struct {
  int pid;
} __core;
struct holder {
  struct task_struct __kptr *task;
};
MAP(2, __u32, struct holder, 1) holders SEC(".maps");
MAP(2, __u32, __u32, 1) counters SEC(".maps");

extern void bpf_task_release(struct task_struct *p) __ksym;

SEC("socket") int jiffies(void *ctx) {
  return (int)jiffies64();
}

SEC("kprobe/bpf_fentry_test1") int by_the_jit(void *ctx) {
  return get_smp_processor_id() + (int)(long)get_current_task();
}

SEC("tp_btf/task_newtask") int exchanged(void *ctx) {
  __u32 key = 0;
  struct holder *h = map_lookup_elem(&holders, &key);
  struct task_struct *old;
  if (!h) return 0;
  old = kptr_xchg(&h->task, 0);
  if (old) bpf_task_release(old);
  return 0;
}

static char entries[240];
SEC("fentry/bpf_fentry_test1") int branches(void *ctx) {
  entries[0] = get_branch_snapshot(entries, sizeof(entries), 0);
  return 0;
}

SEC("socket") int compare_exchange(void *ctx) {
  __u32 key = 0, *counter = map_lookup_elem(&counters, &key);
  __u64 r;
  if (!counter) return 0;
  __asm__ volatile("w0 = 3\n"
                   "w1 = 4\n"
                   "w0 = cmpxchg32_32(%1 + 0, w0, w1)\n"
                   "%0 = r0\n"
                   "%0 >>= 33\n"
                   : "=&r"(r)
                   : "r"(counter)
                   : "r0", "r1");
  return (int)r;
}
