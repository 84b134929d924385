/* A map that the kernel makes none of. */
#include "../include/bpf.h"
LICENSE;

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	UINT(key_size, 8);
	UINT(value_size, 8);
} map SEC(".maps");

SEC("tc")
int program(void *ctx)
{
	USE(map);
	return 0;
}
