/* Loads through kernel pointers, guarded against user addresses; with and without offset, sign-extending (cpu v4). */
#include "../bpf.h"

struct task_struct {
  int prio;
  int pid;
  struct task_struct *group_leader;
} __core;
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;
extern const int bpf_prog_active __ksym;

static volatile int result;

SEC("fentry/bpf_fentry_test1") int chain(void *ctx) {
  struct task_struct *task = get_current_task_btf();
  result = task->group_leader->group_leader->pid + task->prio;
  return 0;
}

SEC("fentry/bpf_fentry_test1") int signed_loads(void *ctx) {
  struct task_struct *task = bpf_rdonly_cast(get_current_task(), __builtin_btf_type_id(*(struct task_struct *)0, 1));
  volatile int *prio = &task->prio;
  result = (int)((__s64)*prio >> 3);
  return 0;
}

SEC("fentry/bpf_fentry_test1") int variables(void *ctx) {
  const int *active = this_cpu_ptr(&bpf_prog_active);
  const int *other = per_cpu_ptr(&bpf_prog_active, get_smp_processor_id());
  result = *active + (other ? *other : 0);
  return 0;
}
