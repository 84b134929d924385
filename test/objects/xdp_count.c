/* Counts packets by their IP protocol, and drops those that are cut short. */
#include "include/bpf.h"
LICENSE;

struct counter {
	u64 packets;
	u64 bytes;
};

struct {
	UINT(type, PERCPU_ARRAY);
	UINT(max_entries, 256);
	TYPE(key, u32);
	TYPE(value, struct counter);
} counters SEC(".maps");

struct ethernet { u8 to[6], from[6]; u16 type; } __attribute__((packed));
struct ipv4 { u8 version_length, tos; u16 length, id, fragment; u8 ttl, protocol; u16 checksum; u32 from, to; };

#define ETH_IPV4 0x0008 /* in network order */

INLINE void count(u32 protocol, u64 bytes)
{
	struct counter *c = map_lookup_elem(&counters, &protocol);
	if (!c)
		return;
	c->packets++;
	c->bytes += bytes;
}

SEC("xdp")
int xdp_main(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethernet *eth = data;
	struct ipv4 *ip = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return XDP_DROP;
	if (eth->type != ETH_IPV4)
		return XDP_PASS;
	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	count(ip->protocol, end - data);
	return XDP_PASS;
}
