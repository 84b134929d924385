/* A kernel function of another prototype. */
#include "../include/bpf.h"
LICENSE;

extern void *bpf_task_acquire(void *task, int more) KSYM;

SEC("tc")
int program(void *ctx)
{
	return bpf_task_acquire(ctx, 1) != 0;
}
