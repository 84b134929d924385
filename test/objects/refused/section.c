/* A section name that says nothing. */
#include "../include/bpf.h"
LICENSE;

SEC("no_such_section")
int program(void *ctx)
{
	return 0;
}
