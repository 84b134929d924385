/* Many programs with many relocations, for the measure of a loader: some 100 kB. */
#include "include/bpf.h"
LICENSE;

struct mm_struct { unsigned long total_vm, locked_vm, stack_vm, hiwater_rss, start_code, end_code, start_data, end_data; } CORE;
struct signal_struct { unsigned long long nvcsw, nivcsw, maxrss, cmaxrss; } CORE;
struct task_struct {
	int pid, tgid, prio, static_prio, normal_prio;
	unsigned int flags, policy;
	u64 utime, stime, start_time;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct task_struct *real_parent, *group_leader;
	char comm[16];
} CORE;

struct record { u64 at; u32 pid, tgid; u64 sums[8]; };

struct {
	UINT(type, HASH);
	UINT(max_entries, 1024);
	TYPE(key, u32);
	TYPE(value, struct record);
} records SEC(".maps");

u64 total;
const volatile u32 wanted;

static NOINLINE u64 sizes(struct task_struct *task)
{
	return task->mm->total_vm + task->mm->locked_vm + task->mm->stack_vm + task->mm->hiwater_rss;
}

static NOINLINE u64 switches(struct task_struct *task)
{
	return task->signal->nvcsw + task->signal->nivcsw + task->signal->maxrss;
}

#define PROGRAM(name)                                                              \
	SEC("raw_tp/task_rename")                                                  \
	int name(u64 *ctx)                                                         \
	{                                                                          \
		struct task_struct *task = get_current_task_btf();                 \
		struct task_struct *parent = task->real_parent;                    \
		u32 pid = task->pid;                                               \
		struct record *r = map_lookup_elem(&records, &pid);                \
                                                                                   \
		if (!r || (wanted && pid != wanted))                               \
			return 0;                                                  \
		r->at = task->start_time;                                          \
		r->tgid = task->tgid;                                              \
		r->sums[0] += task->utime + task->stime;                           \
		r->sums[1] += parent->utime + parent->group_leader->pid;           \
		r->sums[2] += task->prio + task->static_prio + task->normal_prio;  \
		r->sums[3] += task->mm->start_code + task->mm->end_data;           \
		r->sums[4] += sizes(task) + switches(parent);                      \
		total += r->sums[4];                                               \
		return 0;                                                          \
	}
#define TEN(name) PROGRAM(name##0) PROGRAM(name##1) PROGRAM(name##2) PROGRAM(name##3) PROGRAM(name##4) \
	PROGRAM(name##5) PROGRAM(name##6) PROGRAM(name##7) PROGRAM(name##8) PROGRAM(name##9)

TEN(a) TEN(b) TEN(c) TEN(d) TEN(e) TEN(f)
