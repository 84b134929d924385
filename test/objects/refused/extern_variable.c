/* A kernel variable of another type. */
#include "../include/bpf.h"
LICENSE;

extern const struct other { int x; } *runqueues KSYM;

SEC("tc")
int program(void *ctx)
{
	return (long)&runqueues;
}
