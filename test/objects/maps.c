/* Maps of maps, program arrays with initial values, sizes that a loader completes, attributes of every kind. */
#include "include/bpf.h"
LICENSE;

struct key { u32 prefix; u8 address[4]; };
struct value { u64 count; u32 last; };

struct inner {
	UINT(type, HASH);
	UINT(max_entries, 16);
	TYPE(key, u32);
	TYPE(value, struct value);
} first SEC(".maps"), second SEC(".maps");

struct {
	UINT(type, ARRAY_OF_MAPS);
	UINT(max_entries, 4);
	TYPE(key, u32);
	struct {
		UINT(type, HASH);
		UINT(max_entries, 16);
		TYPE(key, u32);
		TYPE(value, struct value);
	} *values[];
} outer SEC(".maps") = { .values = { (void *)&first, 0, (void *)&second } };

int tail(struct sk_buff_md *ctx);

struct {
	UINT(type, PROG_ARRAY);
	UINT(max_entries, 2);
	UINT(key_size, 4);
	int (*values[])(void *);
} jumps SEC(".maps") = { .values = { [1] = (void *)&tail } };

struct {
	UINT(type, LPM_TRIE);
	UINT(map_flags, NO_PREALLOC);
	UINT(max_entries, 8);
	TYPE(key, struct key);
	TYPE(value, u64);
} routes SEC(".maps");

struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 5000); /* rounded up to pages */
} ring SEC(".maps");

struct {
	UINT(type, PERF_EVENT_ARRAY); /* one entry a CPU */
	UINT(key_size, 4);
	UINT(value_size, 4);
} samples SEC(".maps");

struct {
	UINT(type, HASH); /* its size is left to who loads it */
	TYPE(key, u64);
	TYPE(value, u64);
} unsized SEC(".maps");

struct {
	UINT(type, BLOOM_FILTER);
	UINT(max_entries, 100);
	UINT(map_extra, 3);
	TYPE(value, u32);
} seen SEC(".maps");

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	UINT(map_flags, MMAPABLE);
	UINT(numa_node, 0);
	UINT(pinning, 0);
	TYPE(key, u32);
	TYPE(value, struct value);
} a_map_with_a_name_that_is_much_too_long SEC(".maps");

SEC("tc")
int entry(struct sk_buff_md *ctx)
{
	u32 zero = 0;
	void *inner = map_lookup_elem(&outer, &zero);
	struct value *v;

	if (!inner)
		return 0;
	v = map_lookup_elem(inner, &zero);
	if (v)
		v->count += ctx->len;
	tail_call(ctx, &jumps, 1);
	return 0;
}

SEC("tc")
int tail(struct sk_buff_md *ctx)
{
	struct key key = { .prefix = 32, .address = {1, 2, 3, 4} };
	u64 *route = map_lookup_elem(&routes, &key), k = 0;

	if (route)
		map_update_elem(&unsized, &k, route, 0);
	return 0;
}

SEC("xdp.frags/cpumap")
int fragments(struct xdp_md *ctx)
{
	u32 zero = 0;

	return map_lookup_elem(&a_map_with_a_name_that_is_much_too_long, &zero) ? XDP_PASS : XDP_DROP;
}
