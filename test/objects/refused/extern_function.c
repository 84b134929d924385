/* A kernel function that is not there. */
#include "../include/bpf.h"
LICENSE;

extern int no_such_function(int) KSYM;

SEC("tc")
int program(void *ctx)
{
	return no_such_function(1);
}
