/* A function of a kernel structure of functions: its context is typed by the member's prototype. */
#include "../bpf.h"

struct sock;
struct tcp_sock {
  __u32 snd_cwnd;
} __core;
struct tcp_congestion_ops {
  __u32 (*ssthresh)(struct sock *sk);
  __u32 (*undo_cwnd)(struct sock *sk);
  char name[16];
};

SEC("struct_ops") __u32 threshold(__u64 *ctx) {
  struct tcp_sock *sk = (struct tcp_sock *)ctx[0];
  return sk->snd_cwnd;
}

SEC("struct_ops") __u32 undo(__u64 *ctx) {
  struct tcp_sock *sk = (struct tcp_sock *)ctx[0];
  sk->snd_cwnd = 2;
  return sk->snd_cwnd + 1;
}

SEC(".struct_ops") struct tcp_congestion_ops golden = {
    .ssthresh = (void *)threshold,
    .undo_cwnd = (void *)undo,
    .name = "golden",
};
