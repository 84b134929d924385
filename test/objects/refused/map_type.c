/* A map of no type. */
#include "../include/bpf.h"
LICENSE;

struct {
	UINT(max_entries, 1);
	TYPE(key, u32);
} map SEC(".maps");

SEC("tc")
int program(void *ctx)
{
	USE(map);
	return 0;
}
