/* Classic BPF's packet loads: every width, constant and indirect. */
#include "../bpf.h"

unsigned long long load_byte(void *skb, unsigned long long off) __asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) __asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long off) __asm("llvm.bpf.load.word");

SEC("socket") int absolute(void *skb) {
  return load_byte(skb, 23) + load_half(skb, 12) + load_word(skb, 26);
}

SEC("socket") int indirect(void *skb) {
  __u64 off = get_prandom_u32() & 63;
  return load_byte(skb, off) + load_half(skb, off + 2) + load_word(skb, off + 4);
}
