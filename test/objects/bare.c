/* As little as can be loaded; tests put BTF of their own into it. The verifier rejects it, which makes libbpf talk. */
#include "include/bpf.h"
LICENSE;

SEC("socket")
int program(void *ctx)
{
	return *(volatile int *)(ctx + 4096);
}
