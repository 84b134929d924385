/* Objects of the program's own, their lists and trees, under a lock. */
#include "../bpf.h"

struct bpf_spin_lock {
  __u32 val;
};
struct bpf_refcount {
  __u32 opaque[1];
} __attribute__((aligned(4)));
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
#define __contains(type, node) __attribute__((btf_decl_tag("contains:" #type ":" #node)))
#define type_id(t) __builtin_btf_type_id(*(t *)0, 0)
#define container_of(ptr, type, member) ((type *)((void *)(ptr) - __builtin_offsetof(type, member)))

HELPER(93, void, spin_lock, struct bpf_spin_lock *lock);
HELPER(94, void, spin_unlock, struct bpf_spin_lock *lock);
extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
                               _Bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;

struct item {
  __u64 value;
  struct bpf_list_node in_list;
};
struct leaf {
  __u64 value;
  struct bpf_rb_node in_tree;
  struct bpf_refcount count;
};

static struct bpf_spin_lock lock SEC(".data.list");
static struct bpf_list_head list SEC(".data.list") __contains(item, in_list);
static struct bpf_spin_lock tree_lock SEC(".data.tree");
static struct bpf_rb_root tree SEC(".data.tree") __contains(leaf, in_tree);

static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  return container_of(a, struct leaf, in_tree)->value < container_of(b, struct leaf, in_tree)->value;
}

SEC("tc") int pushed_and_popped(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  struct bpf_list_node *node;
  if (!item) return 0;
  item->value = 1;
  spin_lock(&lock);
  bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
  node = bpf_list_pop_front(&list);
  spin_unlock(&lock);
  if (!node) return 0;
  item = container_of(node, struct item, in_list);
  bpf_obj_drop_impl(item, 0);
  return 0;
}

SEC("tc") int pushed_without_lock(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  if (!item) return 0;
  bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
  return 0;
}

SEC("tc") int pushed_under_another_lock(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  if (!item) return 0;
  spin_lock(&tree_lock);
  bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
  spin_unlock(&tree_lock);
  return 0;
}

SEC("tc") int pushed_twice(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  if (!item) return 0;
  spin_lock(&lock);
  bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
  bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
  spin_unlock(&lock);
  return 0;
}

SEC("tc") int pushed_a_leaf(void *ctx) {
  struct leaf *leaf = bpf_obj_new_impl(type_id(struct leaf), 0);
  if (!leaf) return 0;
  spin_lock(&lock);
  bpf_list_push_front_impl(&list, (void *)&leaf->in_tree, 0, 0);
  spin_unlock(&lock);
  return 0;
}

SEC("tc") int not_dropped(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  return item ? (int)item->value : 0;
}

SEC("tc") int used_after_drop(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  if (!item) return 0;
  bpf_obj_drop_impl(item, 0);
  return (int)item->value;
}

SEC("tc") int node_written(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  if (!item) return 0;
  item->in_list.opaque[0] = 0;
  bpf_obj_drop_impl(item, 0);
  return 0;
}

SEC("tc") int used_after_unlock(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0);
  if (!item) return 0;
  spin_lock(&lock);
  bpf_list_push_front_impl(&list, &item->in_list, 0, 0);
  item->value = 2;
  spin_unlock(&lock);
  item->value = 3;
  return 0;
}

SEC("tc") int first_removed(void *ctx) {
  struct bpf_rb_node *node;
  struct leaf *leaf;
  spin_lock(&tree_lock);
  node = bpf_rbtree_first(&tree);
  if (!node) {
    spin_unlock(&tree_lock);
    return 0;
  }
  node = bpf_rbtree_remove(&tree, node);
  spin_unlock(&tree_lock);
  if (!node) return 0;
  leaf = container_of(node, struct leaf, in_tree);
  bpf_obj_drop_impl(leaf, 0);
  return 0;
}

SEC("tc") int first_kept(void *ctx) {
  struct bpf_rb_node *node;
  spin_lock(&tree_lock);
  node = bpf_rbtree_first(&tree);
  spin_unlock(&tree_lock);
  return node ? (int)container_of(node, struct leaf, in_tree)->value : 0;
}

SEC("tc") int added(void *ctx) {
  struct leaf *leaf = bpf_obj_new_impl(type_id(struct leaf), 0);
  if (!leaf) return 0;
  spin_lock(&tree_lock);
  bpf_rbtree_add_impl(&tree, &leaf->in_tree, less, 0, 0);
  spin_unlock(&tree_lock);
  return 0;
}

static _Bool less_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b) {
  spin_unlock(&tree_lock);
  return 0;
}
SEC("tc") int added_with_unlock(void *ctx) {
  struct leaf *leaf = bpf_obj_new_impl(type_id(struct leaf), 0);
  if (!leaf) return 0;
  spin_lock(&tree_lock);
  bpf_rbtree_add_impl(&tree, &leaf->in_tree, less_unlocks, 0, 0);
  spin_unlock(&tree_lock);
  return 0;
}

SEC("tc") int counted(void *ctx) {
  struct leaf *leaf = bpf_obj_new_impl(type_id(struct leaf), 0), *mine;
  if (!leaf) return 0;
  mine = bpf_refcount_acquire_impl(leaf, 0);
  spin_lock(&tree_lock);
  bpf_rbtree_add_impl(&tree, &leaf->in_tree, less, 0, 0);
  spin_unlock(&tree_lock);
  mine->value = 4;
  bpf_obj_drop_impl(mine, 0);
  return 0;
}

SEC("tc") int counted_without_count(void *ctx) {
  struct item *item = bpf_obj_new_impl(type_id(struct item), 0), *mine;
  if (!item) return 0;
  mine = bpf_refcount_acquire_impl(item, 0);
  bpf_obj_drop_impl(mine, 0);
  bpf_obj_drop_impl(item, 0);
  return 0;
}

SEC("tc") int locked_twice(void *ctx) {
  spin_lock(&lock);
  spin_lock(&tree_lock);
  spin_unlock(&tree_lock);
  spin_unlock(&lock);
  return 0;
}

SEC("tc") int not_unlocked(void *ctx) {
  spin_lock(&lock);
  return 0;
}

SEC("tc") int unlocked_another(void *ctx) {
  spin_lock(&lock);
  spin_unlock(&tree_lock);
  return 0;
}

SEC("tc") int helper_under_lock(void *ctx) {
  __u64 now;
  spin_lock(&lock);
  now = ktime_get_ns();
  spin_unlock(&lock);
  return (int)now;
}

SEC("?raw_tp/sys_enter") int traced(void *ctx) {
  spin_lock(&lock);
  spin_unlock(&lock);
  return 0;
}
