/* libbpf walks the sections once: the static program stands before the maps that it would refuse, too. */
#include "../include/bpf.h"
LICENSE;

SEC("early")
static __attribute__((used)) int hidden(void *ctx)
{
	return 0;
}

struct old_map { unsigned type, key_size, value_size, max_entries, flags; };
SEC("maps") struct old_map table = { 2, 4, 4, 1, 0 };
