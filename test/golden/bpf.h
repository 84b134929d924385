/* What the golden programs need of BPF's C dialect: map definitions, sections, helpers by number. Our own, no libbpf. */
typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;

#define SEC(name) __attribute__((section(name), used))
#define __ksym __attribute__((section(".ksyms")))
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __arena __attribute__((address_space(1)))
#define __core __attribute__((preserve_access_index))
#define __noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) __typeof__(val) *name
#define __array(name, val) __typeof__(val) *name[]
#define MAP(kind, key_type, value_type, entries)                                                                       \
  struct {                                                                                                             \
    __uint(type, kind);                                                                                                \
    __uint(max_entries, entries);                                                                                      \
    __type(key, key_type);                                                                                             \
    __type(value, value_type);                                                                                         \
  }
#define barrier() __asm__ volatile("" ::: "memory")
#define hide(var) __asm__ volatile("" : "+r"(var))

#define HELPER(number, result, name, ...) static result (*const name)(__VA_ARGS__) = (void *)number

HELPER(1, void *, map_lookup_elem, void *map, const void *key);
HELPER(2, long, map_update_elem, void *map, const void *key, const void *value, __u64 flags);
HELPER(3, long, map_delete_elem, void *map, const void *key);
HELPER(5, __u64, ktime_get_ns, void);
HELPER(7, __u32, get_prandom_u32, void);
HELPER(8, __u32, get_smp_processor_id, void);
HELPER(12, long, tail_call, void *ctx, void *map, __u32 index);
HELPER(35, void *, get_current_task, void);
HELPER(51, long, redirect_map, void *map, __u64 key, __u64 flags);
HELPER(84, struct bpf_sock *, sk_lookup_tcp, void *ctx, void *tuple, __u32 size, __u64 netns, __u64 flags);
HELPER(86, long, sk_release, void *sk);
HELPER(87, long, map_push_elem, void *map, const void *value, __u64 flags);
HELPER(88, long, map_pop_elem, void *map, void *value);
HELPER(89, long, map_peek_elem, void *map, void *value);
HELPER(95, struct bpf_sock *, sk_fullsock, struct bpf_sock *sk);
HELPER(96, struct bpf_tcp_sock *, tcp_sock, struct bpf_sock *sk);
HELPER(107, void *, sk_storage_get, void *map, void *sk, void *value, __u64 flags);
HELPER(118, __u64, jiffies64, void);
HELPER(153, void *, per_cpu_ptr, const void *ptr, __u32 cpu);
HELPER(154, void *, this_cpu_ptr, const void *ptr);
HELPER(156, void *, task_storage_get, void *map, void *task, void *value, __u64 flags);
HELPER(158, void *, get_current_task_btf, void);
HELPER(164, long, for_each_map_elem, void *map, void *callback, void *ctx, __u64 flags);
HELPER(169, long, timer_init, void *timer, void *map, __u64 flags);
HELPER(170, long, timer_set_callback, void *timer, void *callback);
HELPER(173, __u64, get_func_ip, void *ctx);
HELPER(176, long, get_branch_snapshot, void *entries, __u32 size, __u64 flags);
HELPER(181, long, loop, __u32 count, void *callback, void *ctx, __u64 flags);
HELPER(183, long, get_func_arg, void *ctx, __u32 n, __u64 *value);
HELPER(184, long, get_func_ret, void *ctx, __u64 *value);
HELPER(185, long, get_func_arg_cnt, void *ctx);
HELPER(194, void *, kptr_xchg, void *dst, void *ptr);
HELPER(195, void *, map_lookup_percpu_elem, void *map, const void *key, __u32 cpu);

char gpl[] SEC("license") = "GPL";
