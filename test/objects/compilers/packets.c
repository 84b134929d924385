/* Packet access, widths, signs, shifts, loops and functions. */
#include "program.h"

struct xdp_md {
	u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

static NOINLINE int sum(const u8 *from, const u8 *end)
{
	int total = 0, i;

	for (i = 0; i < 20; i++) {
		if (from + i + 1 > end)
			break;
		total += from[i];
	}
	return total;
}

int NOINLINE choose(int value)
{
	switch (value & 7) {
	case 0: return 1;
	case 1: return 5;
	case 2: return 2;
	case 3: return 9;
	case 4: return 7;
	default: return value;
	}
}

SEC("xdp")
int parse(struct xdp_md *ctx)
{
	u8 *data = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	s16 narrow;
	s32 word;
	u64 wide;

	if (data + 34 > end)
		return 1;
	narrow = *(s16 *)(data + 12);
	word = *(s32 *)(data + 14);
	wide = *(u64 *)(data + 20);
	if (narrow < 0)
		word = -word;
	wide = wide * 7 + (wide >> 3) + ((s64)word << 5) + (word >> 2);
	*(u16 *)(data + 2) = __builtin_bswap16(narrow);
	*(u32 *)(data + 4) = __builtin_bswap32(word);
	return (choose(word) + sum(data, end) + (wide > 1000)) & 3;
}

SEC("xdp")
int divide(struct xdp_md *ctx)
{
	u64 a = ctx->rx_queue_index, b = ctx->ingress_ifindex;

	return a / (b | 1) + a % (b | 3) + (u32)a / ((u32)b | 5);
}
