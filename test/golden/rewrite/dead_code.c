/* Branches that constants decide, functions that nobody calls then, and `goto +0`. */
#include "../bpf.h"

const volatile int enabled = 0;
const volatile int limit = 7;

static __noinline int optional(int x) {
  return x * 3 + (int)ktime_get_ns();
}

static __noinline int always(int x) {
  return x + (int)get_prandom_u32();
}

SEC("socket") int branches(void *ctx) {
  int r = always(limit);
  if (enabled) r += optional(r);
  if (limit == 7) r++;
  else r = optional(r) + 5;
  return always(r);
}

SEC("socket") int no_operations(void *ctx) {
  int r;
  __asm__ volatile("r1 = 1\n"
                   "goto +0\n"
                   "if r1 == 1 goto 1f\n"
                   "r1 = 2\n"
                   "if r1 != 2 goto 2f\n"
                   "r1 += 3\n"
                   "1: goto +0\n"
                   "goto 2f\n"
                   "2: %0 = r1\n"
                   : "=r"(r)::"r1");
  return r;
}
