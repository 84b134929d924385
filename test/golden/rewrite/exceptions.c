/* bpf_throw with the kernel's own callback and with one of the program's. */
#include "../bpf.h"

extern void bpf_throw(__u64 cookie) __ksym;

SEC("tc") int throws(void *ctx) {
  if (get_prandom_u32() > 5) bpf_throw(7);
  return 0;
}

static __noinline int thrower(__u64 x) {
  if (x > 9) bpf_throw(x);
  return (int)x;
}

SEC("tc") int throws_in_function(void *ctx) {
  return thrower(ktime_get_ns()) + 1;
}

__noinline int caught(__u64 cookie) {
  return (int)cookie + 1;
}

SEC("tc") __attribute__((btf_decl_tag("exception_callback:caught"))) int catches(void *ctx) {
  if (get_prandom_u32() > 5) bpf_throw(7);
  return 0;
}
