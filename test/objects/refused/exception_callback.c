/* An exception callback that is not there. */
#include "../include/bpf.h"
LICENSE;

SEC("tc")
DECL_TAG("exception_callback:no_such_function")
int program(void *ctx)
{
	return 0;
}
