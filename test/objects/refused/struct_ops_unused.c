/* An implementation of nothing. */
#include "../include/bpf.h"
LICENSE;

SEC("struct_ops/member")
int program(void *ctx)
{
	return 0;
}
