/* Spills and fills around a bpf_fastcall helper: all of the stack, part of it, a slot that is used elsewhere too. */
#include "../bpf.h"

SEC("raw_tp") __attribute__((naked)) int simple(void *ctx) {
  __asm__ volatile("r1 = 1\n"
                   "r2 = 2\n"
                   "*(u64 *)(r10 - 8) = r1\n"
                   "*(u64 *)(r10 - 16) = r2\n"
                   "call 8\n"
                   "r2 = *(u64 *)(r10 - 16)\n"
                   "r1 = *(u64 *)(r10 - 8)\n"
                   "r0 = r1\n"
                   "r0 += r2\n"
                   "exit\n" ::);
}

SEC("raw_tp") __attribute__((naked)) int with_other_stack(void *ctx) {
  __asm__ volatile("*(u64 *)(r10 - 8) = r1\n"
                   "r1 = 1\n"
                   "*(u64 *)(r10 - 16) = r1\n"
                   "call 8\n"
                   "r1 = *(u64 *)(r10 - 16)\n"
                   "r0 = r1\n"
                   "r1 = *(u64 *)(r10 - 8)\n"
                   "exit\n" ::);
}

SEC("raw_tp") __attribute__((naked)) int used_elsewhere(void *ctx) {
  __asm__ volatile("r1 = 1\n"
                   "*(u64 *)(r10 - 8) = r1\n"
                   "call 8\n"
                   "r1 = *(u64 *)(r10 - 8)\n"
                   "r2 = *(u64 *)(r10 - 8)\n"
                   "r0 = r2\n"
                   "exit\n" ::);
}
