/* A name that no configuration has. */
#include "../include/bpf.h"
LICENSE;

extern int OTHER KCONFIG;

SEC("tc")
int program(void *ctx)
{
	return OTHER;
}
