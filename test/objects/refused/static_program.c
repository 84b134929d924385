/* A program that nobody can name. */
#include "../include/bpf.h"
LICENSE;

SEC("socket")
static int program(void *ctx)
{
	return 0;
}
