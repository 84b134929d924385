/* Formats of bpf_snprintf: each conversion, and what it does not know. */
#include "../bpf.h"

HELPER(165, long, snprintf, char *str, __u32 size, const char *fmt, const __u64 *data, __u32 len);

#define FORMAT(name, text, count)                                                                                      \
  SEC("tc") int name(void *ctx) {                                                                                      \
    static const char format[] = text;                                                                                 \
    char out[16];                                                                                                      \
    __u64 data[count + 1] = {};                                                                                        \
    return snprintf(out, sizeof(out), format, data, 8 * count);                                                        \
  }

FORMAT(plain, "no conversion", 0)
FORMAT(percent, "100%%", 0)
FORMAT(integers, "%d %i %u %x %X", 5)
FORMAT(longs, "%ld %lld %lu %llx", 4)
FORMAT(characters, "%c%c", 2)
FORMAT(strings, "%s,%pks %pus", 3)
FORMAT(pointers, "%p %px %pK %ps %pS %pB", 6)
FORMAT(addresses, "%pi4 %pI4 %pi6 %pI6", 4)
FORMAT(widths, "%5d %-5d %05d %+d % d", 5)
FORMAT(zeros, "%0012x", 1)
FORMAT(too_few, "%d %d", 1)
FORMAT(more_data, "%d", 3)
FORMAT(octal, "%o", 1)
FORMAT(written, "%n", 1)
FORMAT(precision, "%.3d", 1)
FORMAT(floating, "%f", 1)
FORMAT(three_longs, "%llld", 1)
FORMAT(short_integer, "%hd", 1)
FORMAT(ends, "ends %", 1)
FORMAT(address_of_5, "%pi5", 1)
FORMAT(pointer_run, "%pa", 1)
FORMAT(pointer_punctuation, "%p,%p;", 2)
FORMAT(string_run, "%sd", 1)
FORMAT(kernel_string_run, "%pksx", 1)
FORMAT(control, "a\001b", 0)
FORMAT(spaces, "a\tb\n", 0)
FORMAT(high, "\303\274", 0)
FORMAT(high_conversion, "%\303", 1)
FORMAT(odd_width, "%9999999d", 1)
FORMAT(character_width, "%3c", 1)
