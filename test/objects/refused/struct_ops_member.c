/* A member that the kernel has not. */
#include "../include/bpf.h"
LICENSE;

struct tcp_congestion_ops { u32 no_such_member; u32 (*ssthresh)(void *sk); };

SEC("struct_ops")
u32 program(u64 *ctx)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops ops = { .no_such_member = 1, .ssthresh = (void *)program };
