/* Writes the size of every task's memory: pointers of the kernel's, read as they are. */
#include "include/bpf.h"
LICENSE;

struct mm_struct { unsigned long total_vm; } CORE;
struct task_struct { int pid, tgid; struct mm_struct *mm; char comm[16]; } CORE;
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; u64 session_id, seq_num; } CORE;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } CORE;

struct line {
	int pid;
	u64 pages;
};

SEC("iter/task")
int dump_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct line line = {};

	if (!task)
		return 0;
	line.pid = task->pid;
	line.pages = task->mm->total_vm;
	seq_write(ctx->meta->seq, &line, sizeof line);
	return 0;
}
