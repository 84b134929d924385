/* Variables in an arena. */
#include "include/bpf.h"
LICENSE;

#define IN_ARENA __attribute__((address_space(1)))

struct {
	UINT(type, ARENA);
	UINT(map_flags, MMAPABLE);
	UINT(max_entries, 16);
	enum { arena_address = 0x100000000000 } map_extra;
} arena SEC(".maps");

u64 IN_ARENA counter SEC(".addr_space.1") = 1;
u64 IN_ARENA other SEC(".addr_space.1") = 2;

SEC("syscall")
int touch(void *ctx)
{
	/* the map must be known to a program that uses its memory */
	USE(arena);
	counter += other;
	return 0;
}
