/* No function. */
#include "../include/bpf.h"
LICENSE;

SEC("fexit")
int program(void *ctx)
{
	return 0;
}
