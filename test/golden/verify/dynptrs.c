/* Dynptrs: made, read, sliced, cloned, released; and what must not be done with them. */
#include "../bpf.h"

struct bpf_dynptr {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct __sk_buff {
  __u32 len;
};

HELPER(197, long, dynptr_from_mem, void *data, __u32 size, __u64 flags, struct bpf_dynptr *ptr);
HELPER(198, long, ringbuf_reserve_dynptr, void *ring, __u32 size, __u64 flags, struct bpf_dynptr *ptr);
HELPER(199, void, ringbuf_submit_dynptr, struct bpf_dynptr *ptr, __u64 flags);
HELPER(200, void, ringbuf_discard_dynptr, struct bpf_dynptr *ptr, __u64 flags);
HELPER(201, long, dynptr_read, void *dst, __u32 len, const struct bpf_dynptr *src, __u32 off, __u64 flags);
HELPER(202, long, dynptr_write, const struct bpf_dynptr *dst, __u32 off, void *src, __u32 len, __u64 flags);
HELPER(203, void *, dynptr_data, const struct bpf_dynptr *ptr, __u32 off, __u32 len);
HELPER(209, long, user_ringbuf_drain, void *map, void *callback, void *ctx, __u64 flags);
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 off, void *buffer, __u32 size) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;

struct {
  __uint(type, 27);
  __uint(max_entries, 4096);
} ring SEC(".maps");
struct {
  __uint(type, 31);
  __uint(max_entries, 4096);
} user_ring SEC(".maps");
MAP(2, __u32, __u64, 1) values SEC(".maps");

SEC("tc") int of_a_map_value(void *ctx) {
  struct bpf_dynptr ptr;
  __u32 key = 0;
  __u64 *value = map_lookup_elem(&values, &key), *data;
  if (!value) return 0;
  if (dynptr_from_mem(value, 8, 0, &ptr)) return 0;
  data = dynptr_data(&ptr, 0, 8);
  return data ? (int)*data : 0;
}

SEC("tc") int of_the_stack(void *ctx) {
  struct bpf_dynptr ptr;
  __u64 memory = 1;
  return dynptr_from_mem(&memory, 8, 0, &ptr);
}

SEC("tc") int reserved(void *ctx) {
  struct bpf_dynptr ptr;
  __u64 word = 3;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  dynptr_write(&ptr, 0, &word, sizeof(word), 0);
  ringbuf_submit_dynptr(&ptr, 0);
  return 0;
}

SEC("tc") int leaked(void *ctx) {
  struct bpf_dynptr ptr;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  return 0;
}

SEC("tc") int released_twice(void *ctx) {
  struct bpf_dynptr ptr;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  ringbuf_discard_dynptr(&ptr, 0);
  ringbuf_discard_dynptr(&ptr, 0);
  return 0;
}

SEC("tc") int slice_after_release(void *ctx) {
  struct bpf_dynptr ptr;
  __u64 *data;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  data = dynptr_data(&ptr, 0, 8);
  ringbuf_submit_dynptr(&ptr, 0);
  return data ? (int)*data : 0;
}

SEC("tc") int slice_too_short(void *ctx) {
  struct bpf_dynptr ptr;
  __u64 *data;
  int r = 0;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  data = dynptr_data(&ptr, 0, 8);
  if (data) r = (int)data[1];
  ringbuf_submit_dynptr(&ptr, 0);
  return r;
}

SEC("tc") int never_made(void *ctx) {
  struct bpf_dynptr ptr = {};
  __u64 word;
  return dynptr_read(&word, sizeof(word), &ptr, 0, 0);
}

SEC("tc") int overwritten(void *ctx) {
  struct bpf_dynptr ptr;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  *(volatile __u64 *)&ptr = 0;
  ringbuf_submit_dynptr(&ptr, 0);
  return 0;
}

SEC("tc") int variable_size(void *ctx) {
  struct bpf_dynptr ptr;
  __u64 *data;
  int r = 0;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  data = dynptr_data(&ptr, 0, get_prandom_u32());
  if (data) r = (int)*data;
  ringbuf_submit_dynptr(&ptr, 0);
  return r;
}

SEC("tc") int packet_slice(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  __u8 buffer[8];
  __u64 *data;
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 0;
  data = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
  return data ? (int)*data : 0;
}

SEC("tc") int packet_slice_after_write(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  __u64 word = 1, *data;
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 0;
  data = bpf_dynptr_slice(&ptr, 0, 0, 8);
  if (!data) return 0;
  dynptr_write(&ptr, 0, &word, sizeof(word), 0);
  return (int)*data;
}

SEC("tc") int packet_slice_is_read_only(struct __sk_buff *skb) {
  struct bpf_dynptr ptr;
  __u64 *data;
  if (bpf_dynptr_from_skb(skb, 0, &ptr)) return 0;
  data = bpf_dynptr_slice(&ptr, 0, 0, 8);
  if (data) *data = 1;
  return 0;
}

SEC("tc") int cloned(void *ctx) {
  struct bpf_dynptr ptr, clone;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  bpf_dynptr_clone(&ptr, &clone);
  ringbuf_submit_dynptr(&clone, 0);
  return 0;
}

SEC("tc") int clone_outlives(void *ctx) {
  struct bpf_dynptr ptr, clone;
  __u64 word;
  ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
  bpf_dynptr_clone(&ptr, &clone);
  ringbuf_submit_dynptr(&ptr, 0);
  return dynptr_read(&word, sizeof(word), &clone, 0, 0);
}

static long sample(const struct bpf_dynptr *ptr, void *ctx) {
  __u64 word = 0;
  dynptr_read(&word, sizeof(word), ptr, 0, 0);
  return word & 1;
}
SEC("tc") int drained(void *ctx) { return user_ringbuf_drain(&user_ring, sample, 0, 0); }

static long sample_released(struct bpf_dynptr *ptr, void *ctx) {
  ringbuf_discard_dynptr(ptr, 0);
  return 0;
}
SEC("tc") int drained_and_released(void *ctx) { return user_ringbuf_drain(&user_ring, sample_released, 0, 0); }

static long sample_out_of_range(const struct bpf_dynptr *ptr, void *ctx) { return 2; }
SEC("tc") int drained_out_of_range(void *ctx) { return user_ringbuf_drain(&user_ring, sample_out_of_range, 0, 0); }
