/* A kernel symbol that is not there. */
#include "../include/bpf.h"
LICENSE;

extern const void no_such_symbol KSYM;

SEC("tc")
int program(void *ctx)
{
	return (long)&no_such_symbol;
}
