/* A callback that nobody calls, but that a declaration tag makes part of the program. */
#include "include/bpf.h"
LICENSE;

extern void bpf_throw(u64 cookie) KSYM;

NOINLINE int on_exception(u64 cookie)
{
	return cookie + 64;
}

SEC("tc")
DECL_TAG("exception_callback:on_exception")
int throwing(struct sk_buff_md *ctx)
{
	if (ctx->len > 100)
		bpf_throw(1);
	return 0;
}

SEC("tc")
int plain(struct sk_buff_md *ctx)
{
	return 0;
}
