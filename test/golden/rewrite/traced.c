/* What tracing programs ask about the function they trace. */
#include "../bpf.h"

static volatile int result;

SEC("fentry/bpf_fentry_test2") int at_entry(void *ctx) {
  __u64 value = 0;
  long r = get_func_arg(ctx, 1, &value) + get_func_arg_cnt(ctx) + get_func_ip(ctx);
  result = (int)(r + value + get_func_ret(ctx, &value));
  return 0;
}

SEC("fexit/bpf_fentry_test2") int at_exit(void *ctx) {
  __u64 value = 0;
  result = (int)(get_func_ret(ctx, &value) + value);
  return 0;
}

SEC("kprobe/bpf_fentry_test2") int not_tracing(void *ctx) {
  return (int)get_func_ip(ctx);
}
