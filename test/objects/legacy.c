/* Maps as they were defined before BTF. */
#include "include/bpf.h"
LICENSE;

struct bpf_map_def { u32 type, key_size, value_size, max_entries, map_flags; };

struct bpf_map_def first SEC("maps") = { HASH, 4, 8, 16, 0 };
struct bpf_map_def second SEC("maps") = { ARRAY, 4, 16, 1, 0 };

SEC("xdp")
int use_both(struct xdp_md *ctx)
{
	u32 zero = 0;

	return map_lookup_elem(&first, &zero) && map_lookup_elem(&second, &zero) ? XDP_PASS : XDP_DROP;
}
