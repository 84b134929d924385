/* Arena pointers kept in memory stay as they are where the arena has no user addresses. */
#include "../bpf.h"

struct {
  __uint(type, 33);
  __uint(map_flags, (1 << 10) | (1 << 18));
  __uint(max_entries, 10);
} arena SEC(".maps");

extern void *bpf_arena_alloc_pages(void *map, void *addr, __u32 pages, int node, __u64 flags) __ksym;
__u64 __arena *__arena kept;

SEC("syscall") int keeps(void *ctx) {
  __u64 __arena *page = (__u64 __arena *)bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
  if (!page) return 1;
  kept = page + 3;
  return (int)*kept;
}
