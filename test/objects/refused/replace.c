/* A program to be replaced that only a user can name. */
#include "../include/bpf.h"
LICENSE;

SEC("freplace/other")
int program(void *ctx)
{
	return 0;
}
