/* Timers, work queues, local storage, per-CPU objects: what the kernel passes besides the program's arguments. */
#include "../bpf.h"

struct bpf_timer {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_wq {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct element {
  struct bpf_timer timer;
  struct bpf_wq work;
};
MAP(2, __u32, struct element, 1) elements SEC(".maps");
struct {
  __uint(type, 24);
  __uint(map_flags, 1);
  __type(key, int);
  __type(value, __u64);
} sockets SEC(".maps");
struct {
  __uint(type, 29);
  __uint(map_flags, 1);
  __type(key, int);
  __type(value, __u64);
} tasks SEC(".maps");

extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value), unsigned int flags, void *aux) __ksym;

static int expired(void *map, int *key, struct element *value) {
  return 0;
}
static int worked(void *map, int *key, void *value) {
  return 0;
}

SEC("tc") int timer(void *ctx) {
  __u32 key = 0;
  struct element *e = map_lookup_elem(&elements, &key);
  if (!e) return 0;
  timer_init(&e->timer, &elements, 1);
  return timer_set_callback(&e->timer, expired);
}

SEC("tc") int work_queue(void *ctx) {
  __u32 key = 0;
  struct element *e = map_lookup_elem(&elements, &key);
  if (!e) return 0;
  bpf_wq_init(&e->work, &elements, 0);
  return bpf_wq_set_callback_impl(&e->work, worked, 0, 0);
}

struct __sk_buff {
  __u32 unused[42];
  void *sk;
};
SEC("cgroup_skb/egress") int socket_storage(struct __sk_buff *skb) {
  void *sk = skb->sk;
  __u64 *value;
  if (!sk) return 1;
  sk = sk_fullsock(sk);
  if (!sk) return 1;
  value = sk_storage_get(&sockets, sk, 0, 1);
  return value ? *value & 1 : 1;
}

SEC("fentry/bpf_fentry_test1") int task_storage(void *ctx) {
  __u64 *value = task_storage_get(&tasks, get_current_task_btf(), 0, 1);
  if (value) *value = 3;
  return 0;
}

SEC("lsm.s/bpf") int task_storage_sleepable(void *ctx) {
  __u64 *value = task_storage_get(&tasks, get_current_task_btf(), 0, 1);
  return value && *value == 77 ? -1 : 0;
}
