/* Lists, trees and reference counts: the kernel functions are told the object's type and where its node lies. */
#include "../bpf.h"

struct bpf_list_head {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
  __u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_rb_root {
  __u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
  __u64 opaque[4];
} __attribute__((aligned(8)));
struct bpf_refcount {
  __u32 opaque[1];
} __attribute__((aligned(4)));
struct bpf_spin_lock {
  __u32 val;
};

#define contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))
#define private(name) SEC(".data." #name) __attribute__((visibility("hidden"), aligned(8)))

struct item {
  __u64 value;
  struct bpf_list_node in_list;
};
struct leaf {
  __u64 value;
  struct bpf_rb_node in_tree;
  struct bpf_refcount references;
};

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *obj, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *obj, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
                               unsigned char(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 off) __ksym;
HELPER(93, long, spin_lock, struct bpf_spin_lock *lock);
HELPER(94, long, spin_unlock, struct bpf_spin_lock *lock);

private(A) struct bpf_spin_lock lock;
private(A) struct bpf_list_head head contains(item, in_list);
private(A) struct bpf_rb_root root contains(leaf, in_tree);

SEC("tc") int list(void *ctx) {
  struct item *a = bpf_obj_new_impl(__builtin_btf_type_id(*(struct item *)0, 0), 0);
  struct item *b;
  if (!a) return 0;
  b = bpf_obj_new_impl(__builtin_btf_type_id(*(struct item *)0, 0), 0);
  if (!b) {
    bpf_obj_drop_impl(a, 0);
    return 0;
  }
  spin_lock(&lock);
  bpf_list_push_front_impl(&head, &a->in_list, 0, 0);
  bpf_list_push_back_impl(&head, &b->in_list, 0, 0);
  spin_unlock(&lock);
  return 0;
}

static unsigned char less(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return 0;
}

SEC("tc") int tree(void *ctx) {
  struct leaf *a = bpf_obj_new_impl(__builtin_btf_type_id(*(struct leaf *)0, 0), 0);
  struct leaf *again;
  if (!a) return 0;
  again = bpf_refcount_acquire_impl(a, 0);
  spin_lock(&lock);
  bpf_rbtree_add_impl(&root, &a->in_tree, less, 0, 0);
  spin_unlock(&lock);
  bpf_obj_drop_impl(again, 0);
  return 0;
}
