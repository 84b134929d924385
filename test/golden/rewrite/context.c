/* Contexts of several program types: whole fields, parts of them, stores, sign extension, the prologue. */
#include "../bpf.h"

struct __sk_buff {
  __u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex, ifindex;
  __u32 tc_index, cb[5], hash, tc_classid, data, data_end, napi_id, family;
};
struct xdp_md {
  __u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};
struct bpf_sock_ops {
  __u32 op, reply, args[3], family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port, is_fullsock;
  __u32 snd_cwnd, srtt_us, bpf_sock_ops_cb_flags, state;
};

SEC("socket") int fields(struct __sk_buff *skb) {
  return skb->len + skb->pkt_type + skb->protocol + skb->vlan_tci + skb->hash + skb->ifindex + skb->mark + skb->cb[2];
}

SEC("socket") int narrow(struct __sk_buff *skb) {
  volatile __u8 *b = (void *)&skb->mark;
  volatile __u16 *h = (void *)&skb->hash;
  volatile __u8 *p = (void *)&skb->protocol;
  volatile __u16 *q = (void *)&skb->protocol;
  volatile __u8 *c = (void *)&skb->cb[1];
  return b[0] + b[1] + b[3] + h[0] + h[1] + p[0] + p[1] + q[0] + c[2];
}

SEC("socket") int stores(struct __sk_buff *skb) {
  skb->cb[0] = 5;
  skb->cb[1] = skb->len;
  return 0;
}

SEC("tc") int direct_write(struct __sk_buff *skb) {
  __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  skb->mark = 7;
  skb->priority = skb->tc_classid;
  if (data + 14 > end) return 0;
  data[0] = 1;
  return data[12];
}

/* The loop goes back to the first instruction, but not to the prologue. */
SEC("tc") __attribute__((naked)) int loops_to_start(struct __sk_buff *skb) {
  __asm__ volatile("1: r2 = *(u32 *)(r1 + 76)\n"
                   "r3 = *(u32 *)(r1 + 80)\n"
                   "r4 = r2\n"
                   "r4 += 8\n"
                   "if r4 > r3 goto 2f\n"
                   "r5 = *(u8 *)(r2 + 0)\n"
                   "if r5 == 3 goto 2f\n"
                   "*(u8 *)(r2 + 0) = r5\n"
                   "r5 = *(u32 *)(r1 + 0)\n"
                   ".byte 0xe5, 0, 1, 0, 0, 0, 0, 0\n" /* may_goto +1 */
                   "if r5 > 60 goto 1b\n"
                   "2: r0 = 0\n"
                   "exit\n" ::);
}

SEC("xdp") int packet_bounds(struct xdp_md *ctx) {
  __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  if (data + 1 > end) return 1;
  return ctx->ingress_ifindex + ctx->rx_queue_index + data[0] > 9 ? 1 : 2;
}

SEC("sockops") int sock_ops(struct bpf_sock_ops *ops) {
  ops->reply = ops->family + ops->remote_port;
  return ops->snd_cwnd + ops->srtt_us + ops->local_ip4 > 7;
}

/* Sign-extending loads of whole fields and of parts (cpu v4). */
SEC("socket") int sign_extended(struct __sk_buff *skb) {
  __s64 r;
  __asm__ volatile("%0 = *(s32 *)(%1 + 8)\n"
                   "r2 = *(s8 *)(%1 + 9)\n"
                   "%0 += r2\n"
                   "r2 = *(s16 *)(%1 + 70)\n"
                   "%0 += r2\n"
                   : "=&r"(r)
                   : "r"(skb)
                   : "r2");
  return (int)r;
}
