/* Values with fields that mean something to the kernel. */
#include "include/bpf.h"
LICENSE;

struct task_struct;

struct locked { struct bpf_spin_lock lock; u64 count; };
struct timed { u64 count; struct bpf_timer timer; };
struct held { struct task_struct TYPE_TAG("kptr") *task; struct task_struct TYPE_TAG("kptr_untrusted") *seen; };
struct node { u64 key; struct bpf_list_node link; struct bpf_refcount refs; struct bpf_rb_node branch; };
struct lists {
	struct bpf_spin_lock lock;
	struct bpf_list_head head DECL_TAG("contains:node:link");
	struct bpf_rb_root root DECL_TAG("contains:node:branch");
};

#define MAP(name, map_type, value_type) \
	struct { UINT(type, map_type); UINT(max_entries, 4); TYPE(key, u32); TYPE(value, value_type); } name SEC(".maps")
MAP(locks, HASH, struct locked);
MAP(timers, ARRAY, struct timed);
MAP(tasks, ARRAY, struct held);
MAP(graphs, ARRAY, struct lists);
/* a lock in a map type that takes none: made without its types */
MAP(no_locks, LRU_HASH, struct locked);

SEC("tc")
int with_lock(struct sk_buff_md *ctx)
{
	u32 zero = 0;
	struct locked *v = map_lookup_elem(&locks, &zero);

	if (!v)
		return 0;
	spin_lock(&v->lock);
	v->count++;
	spin_unlock(&v->lock);
	return 0;
}

static int on_timer(void *map, u32 *key, struct timed *v)
{
	v->count++;
	return 0;
}

SEC("tc")
int with_timer(struct sk_buff_md *ctx)
{
	u32 zero = 0;
	struct timed *v = map_lookup_elem(&timers, &zero);

	if (!v || timer_init(&v->timer, &timers, 1))
		return 0;
	timer_set_callback(&v->timer, on_timer);
	timer_start(&v->timer, 1000, 0);
	return 0;
}

SEC("tc")
int with_pointer(struct sk_buff_md *ctx)
{
	u32 zero = 0;
	struct held *v = map_lookup_elem(&tasks, &zero);

	return v && v->task ? 1 : map_lookup_elem(&graphs, &zero) != 0;
}

SEC("tc")
int without_lock(struct sk_buff_md *ctx)
{
	u32 zero = 0;
	struct locked *v = map_lookup_elem(&no_locks, &zero);

	if (!v)
		return 0;
	spin_lock(&v->lock);
	spin_unlock(&v->lock);
	return 0;
}
