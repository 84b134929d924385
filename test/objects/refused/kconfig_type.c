/* A configuration option that is no number. */
#include "../include/bpf.h"
LICENSE;

extern int CONFIG_SMP KCONFIG;

SEC("tc")
int program(void *ctx)
{
	return CONFIG_SMP;
}
