/* bpf_loop of constant zero iterations: the callback is never walked, and removed; the loop still names it. */
#include "../bpf.h"

static int add(__u32 i, __u64 *sum) {
  *sum += i;
  return 0;
}
static __noinline int twice(int x) {
  barrier();
  return x * 2;
}
static __noinline int thrice(int x) {
  barrier();
  return x * 3;
}

/* Nothing but the program is left. */
SEC("socket") int alone(void *ctx) {
  __u64 sum = 0;
  loop(0, add, &sum, 0);
  return (int)sum;
}

/* Two of them. */
SEC("socket") int alone_twice(void *ctx) {
  __u64 sum = 0;
  loop(0, add, &sum, 0);
  loop(0, add, &sum, 0);
  return (int)sum;
}

/* Behind the removed callback stands another function. */
SEC("socket") int followed(void *ctx) {
  __u64 sum = 0;
  loop(0, add, &sum, 0);
  return twice((int)sum);
}

/* The removed callback is the last function. */
SEC("socket") int preceded(void *ctx) {
  __u64 sum = 0;
  int r = twice(5);
  loop(0, add, &sum, 0);
  return r;
}

/* And one in between. */
SEC("socket") int between(void *ctx) {
  __u64 sum = 0;
  int r = twice(5);
  loop(0, add, &sum, 0);
  return r + thrice(4);
}

/* Not inlined: the flags are known at run time alone. */
SEC("socket") int not_inlined(void *ctx) {
  __u64 sum = 0;
  __u64 flags = ktime_get_ns();
  loop(0, add, &sum, flags);
  return (int)sum;
}
