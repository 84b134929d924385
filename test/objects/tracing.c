/* Programs on the kernel's functions and tracepoints; symbols, functions and configuration of the kernel. */
#include "include/bpf.h"
LICENSE;

struct task_struct { int pid, tgid; struct task_struct *group_leader; char comm[16]; } CORE;
struct pt_regs;
struct rq { u32 nr_running; };
struct inode;

struct event { u32 pid; u64 when; char comm[16]; };

struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 10000);
} events SEC(".maps");

struct {
	UINT(type, TASK_STORAGE);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, int);
	TYPE(value, u64);
} since SEC(".maps");

extern int LINUX_KERNEL_VERSION KCONFIG;
extern bool CONFIG_SMP KCONFIG;
extern u32 CONFIG_HZ KCONFIG;
extern char CONFIG_DEFAULT_HOSTNAME[16] KCONFIG WEAK;
extern bool CONFIG_NO_SUCH_OPTION KCONFIG WEAK;

extern const struct rq runqueues KSYM;
extern const void jiffies_64 KSYM WEAK;
extern const void no_such_symbol KSYM WEAK;
extern const int no_such_variable KSYM WEAK;

extern struct task_struct *bpf_task_acquire(struct task_struct *p) KSYM;
extern void bpf_task_release(struct task_struct *p) KSYM;
extern struct task_struct *bpf_task_acquire___other(struct task_struct *p, int extra) KSYM WEAK;
extern void no_such_function(void) KSYM WEAK;

u64 out[4];

SEC("kprobe/do_nanosleep")
int on_kprobe(struct pt_regs *ctx)
{
	struct event *e = ringbuf_reserve(&events, sizeof *e, 0);

	if (!e)
		return 0;
	e->pid = get_current_pid_tgid() >> 32;
	e->when = ktime_get_ns();
	ringbuf_submit(e, 0);
	return 0;
}

SEC("tp_btf/sched_switch")
int on_switch(u64 *ctx)
{
	struct task_struct *next = (void *)ctx[2];
	u64 *at = task_storage_get(&since, next, 0, 1);

	if (at)
		*at = ktime_get_ns();
	out[0] = next->group_leader->pid;
	return 0;
}

SEC("fentry/do_nanosleep")
int on_fentry(u64 *ctx)
{
	out[1] = CONFIG_SMP + CONFIG_HZ + LINUX_KERNEL_VERSION + CONFIG_DEFAULT_HOSTNAME[0] + CONFIG_NO_SUCH_OPTION;
	return 0;
}

SEC("raw_tp/sys_enter")
int on_symbols(u64 *ctx)
{
	out[2] = &no_such_symbol ? 1 : 2;
	out[3] = &no_such_variable ? 1 : 2;
	out[0] = (u64)&jiffies_64;
	out[1] = (u64)per_cpu_ptr(&runqueues, 0) != 0;
	return 0;
}

SEC("tp_btf/task_newtask")
int on_functions(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0], *held;

	if (no_such_function)
		no_such_function();
	if (bpf_task_acquire___other)
		return 0;
	held = bpf_task_acquire(task);
	if (held)
		bpf_task_release(held);
	return 0;
}

SEC("lsm.s/file_open")
int sleepable_hook(u64 *ctx)
{
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int on_tracepoint(void *ctx)
{
	return 0;
}
