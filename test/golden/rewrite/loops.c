/* bpf_loop: inlined with one callback and flags 0, left alone with several callbacks; may_goto; in functions too. */
#include "../bpf.h"

static int add(__u32 i, __u64 *sum) {
  *sum += i;
  return 0;
}
static int subtract(__u32 i, __u64 *sum) {
  *sum -= i;
  return *sum > 1000;
}

SEC("socket") int inlined(void *ctx) {
  __u64 sum = 0;
  loop(100, add, &sum, 0);
  return (int)sum;
}

SEC("socket") int twice(void *ctx) {
  __u64 sum = 0;
  __u32 odd = 5;
  loop(get_prandom_u32(), add, &sum, 0);
  loop(10, subtract, &sum, 0);
  return (int)sum + odd;
}

SEC("socket") int several_callbacks(void *ctx) {
  __u64 sum = 0;
  void *callback = get_prandom_u32() > 7 ? add : subtract;
  loop(10, callback, &sum, 0);
  return (int)sum;
}

static __noinline int in_function(__u64 n) {
  __u64 sum = n;
  loop((__u32)n, subtract, &sum, 0);
  return (int)sum;
}

SEC("socket") int calls_it(void *ctx) {
  return in_function(ktime_get_ns()) + in_function(3);
}

SEC("socket") int may_goto(void *ctx) {
  __u64 r;
  __asm__ volatile("%0 = 0\n"
                   "1: .byte 0xe5, 0, 2, 0, 0, 0, 0, 0\n" /* may_goto +2 */
                   "%0 += 1\n"
                   "goto 1b\n"
                   : "=r"(r));
  return (int)r;
}

/* A may_goto in the first instruction of a function, whose loop returns to it; and one that goes back. */
static __noinline __attribute__((naked)) int goes_back(void) {
  __asm__ volatile("1: .byte 0xe5, 0, 2, 0, 0, 0, 0, 0\n" /* may_goto +2 */
                   "r0 = 0\n"
                   "goto 1b\n"
                   "r0 = 1\n"
                   "goto 3f\n"
                   "2: exit\n"
                   "3: .byte 0xe5, 0, 0xfe, 0xff, 0, 0, 0, 0\n" /* may_goto -2 */
                   "r0 += 1\n"
                   "goto 3b\n" ::);
}

SEC("socket") int may_goto_in_function(void *ctx) {
  __u64 slot = ktime_get_ns();
  hide(slot);
  return goes_back() + (int)slot;
}
