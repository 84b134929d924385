/* A function that is not there. */
#include "../include/bpf.h"
LICENSE;

SEC("fentry/no_such_function")
int program(void *ctx)
{
	return 0;
}
