/* A map with a field of its own invention. */
#include "../include/bpf.h"
LICENSE;

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	UINT(colour, 3);
} map SEC(".maps");

SEC("tc")
int program(void *ctx)
{
	USE(map);
	return 0;
}
