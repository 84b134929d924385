/* Global and static functions: what their BTF prototypes may say, and what callers must bring. */
#include "../bpf.h"

struct bpf_dynptr {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct __sk_buff {
  __u32 len;
};
struct xdp_md {
  __u32 data;
};
struct task_struct {
  int pid;
} __core;
struct task_struct___flavor {
  int pid;
} __core;
struct nobody_knows_this {
  int x;
} __core;
struct incomplete;
struct pair {
  __u64 a, b;
};
#define NOTHING ({ void *nothing = 0; hide(nothing); nothing; })
enum color { RED, GREEN };
#define __tag(name) __attribute__((btf_decl_tag("arg:" #name)))

HELPER(93, void, spin_lock, void *lock);
HELPER(94, void, spin_unlock, void *lock);
HELPER(197, long, dynptr_from_mem, void *data, __u32 size, __u64 flags, struct bpf_dynptr *ptr);
HELPER(201, long, dynptr_read, void *dst, __u32 len, const struct bpf_dynptr *src, __u32 off, __u64 flags);
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

MAP(2, __u32, struct pair, 4) pairs SEC(".maps");

__noinline int takes_six(int a, int b, int c, int d, int e) { return a + b + c + d + e; }
SEC("tc") int five(void *ctx) { return takes_six(1, 2, 3, 4, get_prandom_u32()); }

__noinline void gives_nothing(int a) { barrier(); }
SEC("tc") int nothing(void *ctx) {
  gives_nothing(1);
  return 0;
}

__noinline struct pair *gives_pointer(struct pair *p) {
  barrier();
  return p;
}
SEC("tc") int pointer_result(void *ctx) {
  struct pair p = {};
  struct pair *q = gives_pointer(&p);
  hide(q);
  return q ? 1 : 0;
}

__noinline int takes_incomplete(struct incomplete *p) { return p ? 1 : 0; }
SEC("tc") int incomplete(void *ctx) { return takes_incomplete(NOTHING); }

__noinline int takes_void(void *p) { return p ? 1 : 0; }
SEC("tc") int untyped(void *ctx) { return takes_void(NOTHING); }

__noinline int takes_struct(struct pair p) { return p.a; }

__noinline int takes_array(int (*p)[4]) { return p ? (*p)[3] : 0; }
SEC("tc") int array(void *ctx) {
  int a[4] = {1, 2, 3, 4};
  return takes_array(&a);
}
SEC("tc") int array_short(void *ctx) {
  int a[3] = {1, 2, 3};
  return takes_array((void *)a);
}

__noinline int takes_enum(enum color c) { return c == GREEN; }
SEC("tc") int enumeration(void *ctx) { return takes_enum(get_prandom_u32()); }

__noinline int takes_char(const char *c) { return c ? *c : 0; }
SEC("tc") int constant_text(void *ctx) { return takes_char("text"); }

__noinline int takes_context(struct __sk_buff *skb) { return skb->len; }
SEC("tc") int moved_context(struct __sk_buff *skb) { return takes_context((void *)((char *)skb + 8)); }
SEC("xdp") int another_context(struct xdp_md *xdp) { return takes_context((void *)xdp); }

__noinline int tagged_context(void *ctx __tag(ctx)) { return ctx ? 1 : 0; }
SEC("tc") int any_context(void *ctx) { return tagged_context(ctx); }
SEC("tc") int no_context(void *ctx) { return tagged_context(NOTHING); }

__noinline int wrong_context(struct pair *ctx __tag(ctx)) { barrier(); return 0; }
SEC("tc") int context_of_wrong_type(void *ctx) { return wrong_context(ctx); }

__noinline int nullable_context(void *ctx __tag(ctx) __tag(nullable)) { barrier(); return 0; }
SEC("tc") int context_nullable(void *ctx) { return nullable_context(ctx); }

__noinline int unknown_tag(struct pair *p __tag(whatever)) { barrier(); return 0; }
SEC("tc") int tag_unknown(void *ctx) { return unknown_tag(NOTHING); }

__noinline int tagged_number(int n __tag(nonnull)) { return n; }
SEC("tc") int number_tagged(void *ctx) { return tagged_number(get_prandom_u32()); }

__noinline int nullable_memory(struct pair *p __tag(nullable)) { barrier(); return 0; }
SEC("tc") int memory_nullable(void *ctx) { return nullable_memory(NOTHING); }

__noinline int trusted_or_null(struct task_struct *t __tag(trusted) __tag(nullable)) { return t ? t->pid : 0; }
SEC("?fentry/bpf_fentry_test1") int trusted_null(void *ctx) {
  trusted_or_null(NOTHING);
  trusted_or_null(get_current_task_btf());
  return 0;
}

__noinline int trusted_unchecked(struct task_struct *t __tag(trusted) __tag(nullable)) { return t->pid; }
SEC("?fentry/bpf_fentry_test1") int trusted_not_checked(void *ctx) {
  trusted_unchecked(NOTHING);
  return 0;
}

__noinline int trusted_flavor(struct task_struct___flavor *t __tag(trusted)) { return t->pid; }
SEC("?fentry/bpf_fentry_test1") int flavored(void *ctx) {
  trusted_flavor((void *)get_current_task_btf());
  return 0;
}

__noinline int trusted_nobody(struct nobody_knows_this *t __tag(trusted)) { barrier(); return 0; }
SEC("?fentry/bpf_fentry_test1") int unknown_object(void *ctx) {
  trusted_nobody((void *)get_current_task_btf());
  return 0;
}

__noinline int trusted_nonnull(struct task_struct *t __tag(trusted) __tag(nonnull)) { barrier(); return 0; }
SEC("?fentry/bpf_fentry_test1") int two_tags(void *ctx) {
  trusted_nonnull(get_current_task_btf());
  return 0;
}

__noinline int trusted_task(struct task_struct *t __tag(trusted)) { return t->pid; }
SEC("tc") int trusted_stack(void *ctx) {
  struct pair p = {};
  return trusted_task((void *)&p);
}

__noinline int takes_dynptr(const struct bpf_dynptr *p) {
  __u64 word = 0;
  dynptr_read(&word, sizeof(word), p, 0, 0);
  return word;
}
SEC("tc") int dynptr(void *ctx) {
  struct bpf_dynptr ptr;
  __u32 key = 0;
  void *value = map_lookup_elem(&pairs, &key);
  if (!value) return 0;
  dynptr_from_mem(value, 16, 0, &ptr);
  return takes_dynptr(&ptr);
}
SEC("tc") int dynptr_not_made(void *ctx) {
  struct bpf_dynptr ptr = {};
  return takes_dynptr(&ptr);
}

__noinline int takes_arena(struct pair __arena *p __tag(arena)) { return p ? 1 : 0; }
SEC("tc") int arena_null(void *ctx) { return takes_arena((struct pair __arena *)(long)NOTHING); }
SEC("tc") int arena_stack(void *ctx) {
  struct pair p = {};
  return takes_arena((struct pair __arena *)(long)&p);
}

__noinline int with_tag_combination(struct pair __arena *p __tag(arena) __tag(nonnull)) { barrier(); return 0; }
SEC("tc") int arena_nonnull(void *ctx) { return with_tag_combination((struct pair __arena *)(long)NOTHING); }

static __noinline int static_tagged(struct pair *p __tag(nonnull)) {
  hide(p);
  return p->a;
}
SEC("tc") int tag_on_static(void *ctx) {
  struct pair p = {3, 4};
  hide(p.b);
  return static_tagged(&p);
}

static __noinline int static_pair(struct pair *p) {
  hide(p);
  return p->a;
}
SEC("tc") int static_call(void *ctx) {
  struct pair p = {3, 4};
  return static_pair(&p);
}
SEC("tc") int static_null(void *ctx) { return static_pair(NOTHING); }

static __noinline void *gives_stack(void) {
  __u64 word = 1;
  void *p = &word;
  hide(p);
  return p;
}
SEC("tc") int stack_returned(void *ctx) { return gives_stack() ? 1 : 0; }

__noinline int reads_uninitialised(int n) {
  int a;
  hide(a);
  return n;
}

__noinline int global_leaf(int n) { return n + 1; }
SEC("tc") int without_preemption(void *ctx) {
  int r;
  bpf_preempt_disable();
  r = global_leaf(1);
  bpf_preempt_enable();
  return r;
}

__noinline int deep8(int n) { return global_leaf(n); }
static __noinline int s7(int n) { hide(n); return deep8(n); }
static __noinline int s6(int n) { hide(n); return s7(n) + 1; }
static __noinline int s5(int n) { hide(n); return s6(n) + 1; }
static __noinline int s4(int n) { hide(n); return s5(n) + 1; }
static __noinline int s3(int n) { hide(n); return s4(n) + 1; }
static __noinline int s2(int n) { hide(n); return s3(n) + 1; }
static __noinline int s1(int n) { hide(n); return s2(n) + 1; }
SEC("tc") int eight_frames(void *ctx) { return s1(1); }
static __noinline int s0(int n) { hide(n); return s1(n) + 1; }
SEC("tc") int nine_frames(void *ctx) { return s0(1); }

__noinline int bad_on_its_own(int n) { return *(int *)(long)n; }
SEC("tc") int calls_bad(void *ctx) { return bad_on_its_own(1); }
SEC("tc") int never_calls_bad(void *ctx) {
  if (0) return bad_on_its_own(1);
  return 0;
}
