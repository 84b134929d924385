/* What these programs need of BPF's C dialect, for clang and GCC. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef short s16;
typedef int s32;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define UINT(name, value) int (*name)[value]
#define TYPE(name, type) typeof(type) *name

#ifdef __clang__
#define HELPER(number, result, name, ...) static result (*name)(__VA_ARGS__) = (void *)number
#define CORE __attribute__((preserve_access_index))
#define ACCESS(expression) (expression)
#else
#define HELPER(number, result, name, ...) result name(__VA_ARGS__) __attribute__((kernel_helper(number)))
#define CORE
#define ACCESS(expression) __builtin_preserve_access_index(expression)
#endif

HELPER(1, void *, map_lookup_elem, void *map, const void *key);
HELPER(2, long, map_update_elem, void *map, const void *key, const void *value, u64 flags);
HELPER(5, u64, ktime_get_ns, void);
HELPER(7, u32, get_prandom_u32, void);
HELPER(14, u64, get_current_pid_tgid, void);
HELPER(35, u64, get_current_task, void);
HELPER(113, long, probe_read_kernel, void *to, u32 size, const void *from);

char gpl[] SEC("license") = "GPL";
