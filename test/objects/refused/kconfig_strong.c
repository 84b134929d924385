/* A configuration option that is not set. */
#include "../include/bpf.h"
LICENSE;

extern int CONFIG_NO_SUCH_OPTION KCONFIG;

SEC("tc")
int program(void *ctx)
{
	return CONFIG_NO_SUCH_OPTION;
}
