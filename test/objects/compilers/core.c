/* Relocations against the kernel's types. */
#include "program.h"

struct list_head {
	struct list_head *next, *prev;
} CORE;
struct mm_struct {
	unsigned long total_vm;
} CORE;
struct task_struct {
	int tgid;
	int pid;
	struct mm_struct *mm;
	struct list_head tasks;
	char comm[16];
} CORE;

SEC("raw_tracepoint/sched_switch")
int fields(void *ctx)
{
	struct task_struct *task = (struct task_struct *)get_current_task();
	struct mm_struct *mm = 0;
	unsigned long pages = 0;
	int pid = 0;
	char letter = 0;

	probe_read_kernel(&pid, sizeof(pid), ACCESS(&task->pid));
	probe_read_kernel(&mm, sizeof(mm), ACCESS(&task->mm));
	probe_read_kernel(&pages, sizeof(pages), ACCESS(&mm->total_vm));
	probe_read_kernel(&letter, sizeof(letter), ACCESS(&task->comm[3]));
	return pid + pages + letter;
}
