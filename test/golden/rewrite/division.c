/* Division and remainder, 32 and 64 bits, unsigned and signed, by registers and by -1 (cpu v4). */
#include "../bpf.h"

#define OPERATE(name, type, operator)                                                                                  \
  SEC("socket") int name(void *ctx) {                                                                                  \
    type a = (type)ktime_get_ns(), b = (type)get_prandom_u32();                                                        \
    return (int)(a operator b);                                                                                        \
  }
OPERATE(udiv32, __u32, /)
OPERATE(umod32, __u32, %)
OPERATE(udiv64, __u64, /)
OPERATE(umod64, __u64, %)
OPERATE(sdiv32, __s32, /)
OPERATE(smod32, __s32, %)
OPERATE(sdiv64, __s64, /)
OPERATE(smod64, __s64, %)

#define BY_MINUS_ONE(name, instruction)                                                                                \
  SEC("socket") int name(void *ctx) {                                                                                  \
    __u64 a = ktime_get_ns();                                                                                          \
    __asm__ volatile(instruction : "+r"(a));                                                                           \
    return (int)a;                                                                                                     \
  }
BY_MINUS_ONE(sdiv64_minus_one, "%0 s/= -1")
BY_MINUS_ONE(smod64_minus_one, "%0 s%%= -1")
BY_MINUS_ONE(udiv64_minus_one, "%0 /= -1")

/* A jump over a division that grows, one back over it, and one to it. */
SEC("socket") int jumps_over(void *ctx) {
  __u64 a = ktime_get_ns(), b = get_prandom_u32();
  __asm__ volatile("r1 = 0\n"
                   "1: if r1 > 3 goto 2f\n"
                   "%0 /= %1\n"
                   "r1 += 1\n"
                   "if r1 != 2 goto 1b\n"
                   "if %0 > 9 goto 3f\n"
                   "2: %0 += 1\n"
                   "3: %0 %%= %1\n"
                   : "+r"(a)
                   : "r"(b)
                   : "r1");
  return (int)a;
}
