/* Maps, variables and helpers, in C that every compiler of the last years takes. */
#include "program.h"

struct event {
	u32 pid;
	u64 when;
	char name[16];
};

struct {
	UINT(type, 1);
	UINT(max_entries, 64);
	TYPE(key, u32);
	TYPE(value, struct event);
} events SEC(".maps");

struct {
	UINT(type, 6);
	UINT(max_entries, 4);
	TYPE(key, u32);
	TYPE(value, u64);
} counts SEC(".maps");

const volatile u32 limit = 5;
u64 seen;
static u32 last[4] = {1, 2, 3, 4};

SEC("tracepoint/syscalls/sys_enter_getpid")
int record(void *ctx)
{
	struct event fresh = {};
	u32 key = get_current_pid_tgid() >> 32;
	u64 *count;

	fresh.pid = key;
	fresh.when = ktime_get_ns();
	if (key > limit)
		map_update_elem(&events, &key, &fresh, 0);
	key = 0;
	count = map_lookup_elem(&counts, &key);
	if (count)
		*count += 1;
	seen++;
	last[seen & 3] = fresh.pid;
	return last[(seen + 1) & 3] & 1;
}

SEC("kprobe/do_unlinkat")
int lookup(void *ctx)
{
	u32 key = get_prandom_u32();
	struct event *found = map_lookup_elem(&events, &key);
	int sum = 0, i;

	if (!found)
		return 0;
	for (i = 0; i < 16; i++)
		sum += found->name[i];
	return sum + found->pid;
}
