/* A relocation that reads too little. */
#include "../include/bpf.h"
LICENSE;

struct task_struct { signed char prio; } __attribute__((preserve_access_index));
static struct task_struct *(*const current_task)(void) = (void *)158;

SEC("raw_tp/task_rename")
int program(void *ctx)
{
	return current_task()->prio;
}
