/* Two sizes of one value. */
#include "../include/bpf.h"
LICENSE;

struct {
	UINT(type, ARRAY);
	TYPE(key, u32);
	UINT(value_size, 4);
	TYPE(value, u64);
} map SEC(".maps");

SEC("tc")
int program(void *ctx)
{
	USE(map);
	return 0;
}
