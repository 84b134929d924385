/* Fields of the sockets that helpers return. */
#include "../bpf.h"

struct bpf_sock {
  __u32 bound_dev_if, family, type, protocol, mark, priority, src_ip4, src_ip6[4], src_port;
  __u16 dst_port;
  __u32 dst_ip4, dst_ip6[4], state;
  __s32 rx_queue_mapping;
};
struct bpf_tcp_sock {
  __u32 snd_cwnd, srtt_us, rtt_min, snd_ssthresh, rcv_nxt, snd_nxt, snd_una, mss_cache;
};
struct __sk_buff {
  __u32 unused[42];
  struct bpf_sock *sk;
};

SEC("tc") int looked_up(struct __sk_buff *skb) {
  char tuple[12] = {1, 2, 3, 4};
  struct bpf_sock *sk = sk_lookup_tcp(skb, tuple, sizeof(tuple), -1, 0);
  int r = 0;
  if (!sk) return 0;
  r = sk->family + sk->src_port + sk->dst_port + sk->state + sk->mark + sk->rx_queue_mapping;
  r += *(volatile __u8 *)&sk->protocol + *(volatile __u16 *)&sk->type + *(volatile __u8 *)&sk->src_ip4;
  sk_release(sk);
  return r;
}

SEC("cgroup_skb/egress") int common_and_tcp(struct __sk_buff *skb) {
  struct bpf_sock *sk = skb->sk;
  struct bpf_tcp_sock *tcp;
  int r;
  if (!sk) return 1;
  r = sk->state + sk->src_port;
  sk = sk_fullsock(sk);
  if (!sk) return 1;
  r += sk->priority;
  tcp = tcp_sock(sk);
  if (!tcp) return 1;
  return (r + tcp->snd_cwnd + tcp->srtt_us + tcp->rtt_min + tcp->mss_cache) & 1;
}
