/* Tail calls: known slot, unknown slot, several maps; from a function. */
#include "../bpf.h"

MAP(3, __u32, __u32, 4) first SEC(".maps");
MAP(3, __u32, __u32, 4) second SEC(".maps");

SEC("tc") int known(void *ctx) {
  tail_call(ctx, &first, 0);
  tail_call(ctx, &second, 2);
  return 0;
}

SEC("tc") int unknown(void *ctx) {
  tail_call(ctx, &first, get_prandom_u32());
  tail_call(ctx, &first, 1);
  return 0;
}

SEC("tc") int several(void *ctx) {
  void *map = &first;
  if (get_prandom_u32() > 5) map = &second;
  tail_call(ctx, map, 1);
  return 0;
}

static __noinline int from_function(void *ctx) {
  tail_call(ctx, &first, 3);
  return 1;
}

SEC("tc") int calls_it(void *ctx) {
  char kept[16] = {1};
  barrier();
  hide(ctx);
  return from_function(ctx) + kept[0];
}
