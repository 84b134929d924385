/*
 * What the recorder's processor is tested with (processor.test.ts): functions of two numbers that compilers make of the
 * instructions that a kernel's own small functions are made of. Built freestanding, they are emulated; built with
 * HARNESS, a real processor's (or QEMU's) answers are printed: a line for each pair on standard input.
 */
#include <stdint.h>

typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
typedef int32_t s32;

#define FUNCTION(name) __attribute__((noinline)) u64 name(u64 a, u64 b)

FUNCTION(f_divide) { return b ? a / b + (a % b) * 3 : 7; }
FUNCTION(f_divide_signed) { return b && (s64)b != -1 ? (u64)((s64)a / (s64)b - (s64)a % (s64)b) : 1; }
FUNCTION(f_divide32) { u32 x = a, y = b; return y ? x / y * 5u + x % y : 9; }
FUNCTION(f_divide32_signed) { s32 x = a, y = b; return y && y != -1 ? (u64)(s64)(x / y + x % y * 11) : 2; }
FUNCTION(f_shift) { return (a << (b & 63)) ^ (a >> (b & 31)) ^ (u64)((s64)a >> (b & 47)); }
FUNCTION(f_shift32) { u32 x = a; return (x << (b & 31)) ^ (x >> (b & 15)) ^ (u32)((s32)x >> (b & 7)); }
FUNCTION(f_rotate) { unsigned n = b & 63; return n ? a >> n | a << (64 - n) : a; }
FUNCTION(f_rotate_fixed) { return (a >> 13 | b << 51) ^ (u32)((u32)a >> 7 | (u32)a << 25); }
FUNCTION(f_bits) { return (u64)__builtin_clzll(a | 1) * 64 + (u64)__builtin_ctzll(b | 1ull << 63) + (u64)__builtin_clz((u32)a | 1); }
FUNCTION(f_swap) { return __builtin_bswap64(a) ^ __builtin_bswap32((u32)b) ^ __builtin_bswap16((uint16_t)a); }
FUNCTION(f_field) { return (a >> 5 & 0x3ff) | (b & 0xff) << 20 | (u64)((s64)(a << 30) >> 50) << 32; }
FUNCTION(f_extend) { return (u64)(s64)(signed char)a + (u64)(s64)(short)b + (u64)(s64)(s32)a + (uint8_t)b + (uint16_t)a; }
FUNCTION(f_insert) { struct { u64 x : 7, y : 21, z : 36; } s = { a, b, a ^ b }; s.y += 3; u64 v; __builtin_memcpy(&v, &s, 8); return v; }
FUNCTION(f_logic) { return ((a & ~b) ^ (a | ~(b << 3))) + ((u32)a ^ ~(u32)b) + (a & 0x00ff00ff00ff00ffull) + (b | 0x8000000000000001ull); }
FUNCTION(f_select) { return (a > b ? a : ~b) + ((s64)a < (s64)b ? -a : b + 1) + (a == b) + ((u32)a >= (u32)b ? 0 : -1ull); }
FUNCTION(f_chain) { return ((a & 0xff) > 17 && (b & 0xff) < 99 && (s32)a != (s32)b) | ((a == 5 || b == 9 || a > b + 40) << 1); }
FUNCTION(f_test) { u64 v = 0; if (a & 1ull << 37) v += b; if (!(b & 4)) v ^= a; if (a) v += 3; if (!(u32)b) v -= 5; return v; }
FUNCTION(f_multiply) { return (u64)((unsigned __int128)a * b >> 64) ^ (u64)((__int128)(s64)a * (s64)b >> 64) ^ a * b; }
FUNCTION(f_multiply_wide) { return (u64)(s32)a * (s64)(s32)b + a - (u64)(u32)a * (u32)b - b * a; }
FUNCTION(f_carry) { u64 s; unsigned __int128 w = ((unsigned __int128)a << 64 | b) + ((unsigned __int128)b << 64 | a); return __builtin_add_overflow(a, b, &s) + (u64)(w >> 64) * 3 + (u64)w + (u64)((((unsigned __int128)a << 64 | b) - a) >> 64); }
FUNCTION(f_overflow) { s64 s; s32 t; return (u64)__builtin_sub_overflow((s64)a, (s64)b, &s) * 2 + __builtin_add_overflow((s32)a, (s32)b, &t) + (u64)s + (u32)t; }

FUNCTION(f_switch)
{
	switch (a % 12) {
	case 0: return b + 1;
	case 1: return b * 3;
	case 2: return f_swap(a, b);
	case 3: return b ^ 0x5555;
	case 4: return f_field(b, a);
	case 5: return ~b;
	case 6: return f_logic(a, b) - 1;
	case 7: return b >> 3;
	case 9: return f_shift(b, a);
	default: return 77;
	}
}

static const int16_t halves[] = { -3, 900, 31000, -32768, 5, 6, 70, -800 };
static const int32_t words[] = { -1, 1 << 30, 12345678, -87654321 };
static const uint8_t small[] = "the kernel's own instructions";
FUNCTION(f_tables) { return (u64)(s64)halves[a & 7] + (u64)(s64)words[b & 3] + small[a % (sizeof(small) - 1)] + (u64)(signed char)small[b & 15]; }

FUNCTION(f_recursion) { return a % 14 < 2 ? b : f_recursion(a % 14 - 1, b) + f_recursion(a % 14 - 2, b + 1); }

FUNCTION(f_memory)
{
	volatile uint8_t bytes[48];
	volatile u64 pairs[6];
	u64 sum = 0;

	for (int i = 0; i < 48; i++)
		bytes[i] = a >> (i & 7) * 8 ^ i;
	for (int i = 0; i < 6; i++)
		pairs[i] = b * i + bytes[i * 7];
	for (int i = 0; i < 6; i++)
		sum = sum * 31 + pairs[i] + bytes[47 - i];
	for (const uint8_t *p = small; *p; p++)
		sum = sum * 33 ^ *p;
	return sum;
}

#ifdef HARNESS
#include <inttypes.h>
#include <stdio.h>

static u64 (*const all[])(u64, u64) = {
	f_divide, f_divide_signed, f_divide32, f_divide32_signed, f_shift, f_shift32, f_rotate, f_rotate_fixed, f_bits, f_swap, f_field,
	f_extend, f_insert, f_logic, f_select, f_chain, f_test, f_multiply, f_multiply_wide, f_carry, f_overflow, f_switch, f_tables,
	f_recursion, f_memory,
};
static const char *const names[] = {
	"f_divide", "f_divide_signed", "f_divide32", "f_divide32_signed", "f_shift", "f_shift32", "f_rotate", "f_rotate_fixed", "f_bits",
	"f_swap", "f_field", "f_extend", "f_insert", "f_logic", "f_select", "f_chain", "f_test", "f_multiply", "f_multiply_wide", "f_carry",
	"f_overflow", "f_switch", "f_tables", "f_recursion", "f_memory",
};

int main(void)
{
	u64 a, b;

	while (scanf("%" SCNx64 " %" SCNx64, &a, &b) == 2)
		for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
			printf("%s %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", names[i], a, b, all[i](a, b));
	return 0;
}
#endif
