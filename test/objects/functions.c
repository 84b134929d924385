/* Subprograms of every linkage, variables of every section, callbacks, in an order that a loader must get right. */
#include "include/bpf.h"
LICENSE;

int object_version SEC("version") = 0x01020304;

u64 in_data = 7;
u64 in_bss;
const volatile u32 in_rodata = 3;
static volatile u32 hidden_counter;
u64 custom SEC(".data.custom") = 9;
const u32 table[4] SEC(".rodata.table") = {1, 2, 3, 4};

static NOINLINE u64 leaf(u64 x)
{
	hidden_counter++;
	return x * in_rodata + in_bss;
}

NOINLINE u64 middle(u64 x)
{
	return leaf(x) + leaf(x + 1);
}

WEAK NOINLINE u64 replaceable(u64 x)
{
	return middle(x) ^ custom;
}

HIDDEN NOINLINE u64 hidden(u64 x)
{
	return replaceable(x) + in_data;
}

static long step(u32 i, u64 *sum)
{
	*sum += table[i & 3] + leaf(i);
	return 0;
}

SEC("socket")
int direct(void *ctx)
{
	return leaf(1) & 1;
}

SEC("socket")
int nested(void *ctx)
{
	in_bss++;
	return hidden(in_data) & 1;
}

SEC("tc")
int with_callback(struct sk_buff_md *ctx)
{
	u64 sum = 0;

	loop(8, step, &sum, 0);
	in_bss = sum + middle(ctx->len);
	return 0;
}

SEC("?socket")
int not_by_default(void *ctx)
{
	return replaceable(2) & 1;
}
