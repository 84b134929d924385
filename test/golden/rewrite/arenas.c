/* An arena: casts, loads and stores of every width, atomics, arithmetic (cpu v4). */
#include "../bpf.h"

struct {
  __uint(type, 33);
  __uint(map_flags, 1 << 10);
  __uint(max_entries, 10);
} arena SEC(".maps");

extern void *bpf_arena_alloc_pages(void *map, void *addr, __u32 pages, int node, __u64 flags) __ksym;
int __arena counter;

SEC("syscall") int accesses(void *ctx) {
  __u8 __arena *page = (__u8 __arena *)bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
  if (!page) return 1;
  page[3] = 1;
  *(__u16 __arena *)(page + 8) = 2;
  *(volatile __u32 __arena *)(page + 12) = ktime_get_ns();
  *(volatile __u64 __arena *)(page + 16) = ktime_get_ns();
  return page[4] + *(volatile __u16 __arena *)(page + 8) + *(volatile __u32 __arena *)(page + 12);
}

SEC("syscall") int atomics(void *ctx) {
  __u64 __arena *page = (__u64 __arena *)bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
  if (!page) return 1;
  __sync_fetch_and_add(page, 4);
  counter++;
  return (int)__sync_val_compare_and_swap(page + 1, 3, 4);
}
