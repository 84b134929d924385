/* A congestion control: values of the kernel's structs, whose members programs implement. */
#include "include/bpf.h"
LICENSE;

struct sock;
struct tcp_sock { u32 snd_cwnd; } CORE;

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	u32 flags;
	char name[16];
};
/* a flavor, with a member that the kernel has not */
struct tcp_congestion_ops___extended {
	u32 (*ssthresh)(struct sock *sk);
	u32 (*undo_cwnd)(struct sock *sk);
	void (*no_such_member)(struct sock *sk);
	char name[16];
};

SEC("struct_ops/ssthresh")
u32 ops_ssthresh(u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];

	return tp->snd_cwnd >> 1;
}

SEC("struct_ops")
void ops_cong_avoid(u64 *ctx)
{
}

SEC("struct_ops")
u32 ops_undo_cwnd(u64 *ctx)
{
	return 2;
}

SEC("struct_ops")
u32 ops_unused(u64 *ctx)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops first = {
	.ssthresh = (void *)ops_ssthresh,
	.cong_avoid = (void *)ops_cong_avoid,
	.undo_cwnd = (void *)ops_undo_cwnd,
	.name = "first",
};

SEC(".struct_ops.link")
struct tcp_congestion_ops___extended second = {
	.ssthresh = (void *)ops_ssthresh,
	.undo_cwnd = (void *)ops_undo_cwnd,
	.name = "second",
};
