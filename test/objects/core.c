/* One relocation of every CO-RE kind, with things the target has, has otherwise, and has not. */
#include "include/bpf.h"
LICENSE;

enum { FIELD_BYTE_OFFSET, FIELD_BYTE_SIZE, FIELD_EXISTS, FIELD_SIGNED, FIELD_LSHIFT, FIELD_RSHIFT };
enum { TYPE_ID_LOCAL = 0, TYPE_ID_TARGET = 1 };
enum { TYPE_EXISTS = 0, TYPE_SIZE = 1, TYPE_MATCHES = 2 };
enum { ENUM_EXISTS = 0, ENUM_VALUE = 1 };

#define FIELD(field, what) __builtin_preserve_field_info(field, what)
#define TYPE_ID(type, what) __builtin_btf_type_id(*(typeof(type) *)0, what)
#define TYPE_INFO(type, what) __builtin_preserve_type_info(*(typeof(type) *)0, what)
#define ENUMERATOR(type, value, what) __builtin_preserve_enum_value(*(typeof(type) *)value, what)

struct list_head { struct list_head *next, *prev; } CORE;
struct task_struct {
	int pid;
	unsigned int flags;
	u32 unknown_member;
	unsigned in_execve : 1;
	u64 utime;
	char comm[16];
	struct list_head tasks;
} CORE;
/* another name, another width */
struct task_struct___narrow { u32 start_time; void *stack; u16 flags; } CORE;
struct sk_buff { u8 pkt_type : 3; union { struct { u32 len, data_len; }; }; } CORE;
struct no_such_struct { int x; } CORE;
enum bpf_func_id___local { BPF_FUNC_ktime_get_ns___mine = 999, BPF_FUNC_no_such = 5 };
enum no_such_enum { NONE = 1 };
typedef int pid_t;
typedef struct task_struct *task_pointer;

u64 out[32];

SEC("raw_tp/task_rename")
int fields(u64 *ctx)
{
	struct task_struct *task = get_current_task_btf();
	struct task_struct___narrow *narrow = (void *)task;
	struct sk_buff *skb = 0;

	out[0] = FIELD(task->pid, FIELD_BYTE_OFFSET);
	out[1] = FIELD(task->comm, FIELD_BYTE_SIZE);
	out[2] = FIELD(task->unknown_member, FIELD_EXISTS);
	out[3] = FIELD(task->pid, FIELD_SIGNED) << 8 | FIELD(task->flags, FIELD_SIGNED);
	out[4] = FIELD(task->in_execve, FIELD_LSHIFT);
	out[5] = FIELD(task->in_execve, FIELD_RSHIFT);
	out[6] = FIELD(task->in_execve, FIELD_BYTE_OFFSET) << 8 | FIELD(task->in_execve, FIELD_BYTE_SIZE);
	out[7] = FIELD(skb->pkt_type, FIELD_LSHIFT) << 8 | FIELD(skb->pkt_type, FIELD_RSHIFT);
	out[8] = FIELD(skb->data_len, FIELD_BYTE_OFFSET);
	out[9] = FIELD(task->comm[3], FIELD_BYTE_OFFSET);
	out[10] = FIELD(task->tasks.prev, FIELD_EXISTS);
	out[11] = narrow->start_time;
	out[12] = (u64)narrow->stack;
	out[13] = narrow->flags;
	out[14] = task->utime;
	if (FIELD(task->unknown_member, FIELD_EXISTS))
		out[15] = task->unknown_member;
	return 0;
}

SEC("raw_tp/task_rename")
int types(u64 *ctx)
{
	out[0] = TYPE_ID(struct task_struct, TYPE_ID_LOCAL);
	out[1] = TYPE_ID(struct task_struct, TYPE_ID_TARGET);
	out[2] = TYPE_INFO(struct task_struct, TYPE_EXISTS);
	out[3] = TYPE_INFO(struct no_such_struct, TYPE_EXISTS);
	out[4] = TYPE_INFO(struct task_struct, TYPE_SIZE);
	out[5] = TYPE_INFO(struct list_head, TYPE_MATCHES);
	out[6] = TYPE_INFO(struct sk_buff, TYPE_MATCHES);
	out[7] = TYPE_INFO(pid_t, TYPE_EXISTS);
	out[8] = TYPE_ID(struct no_such_struct, TYPE_ID_TARGET);
	return 0;
}

SEC("raw_tp/task_rename")
int enums(u64 *ctx)
{
	out[0] = ENUMERATOR(enum bpf_func_id___local, BPF_FUNC_ktime_get_ns___mine, ENUM_EXISTS);
	out[1] = ENUMERATOR(enum bpf_func_id___local, BPF_FUNC_ktime_get_ns___mine, ENUM_VALUE);
	out[2] = ENUMERATOR(enum bpf_func_id___local, BPF_FUNC_no_such, ENUM_EXISTS);
	out[3] = ENUMERATOR(enum no_such_enum, NONE, ENUM_EXISTS);
	if (ENUMERATOR(enum no_such_enum, NONE, ENUM_EXISTS))
		out[4] = ENUMERATOR(enum no_such_enum, NONE, ENUM_VALUE);
	return 0;
}

SEC("raw_tp/task_rename")
int unguarded(u64 *ctx)
{
	struct task_struct *task = get_current_task_btf();

	out[0] = task->unknown_member;
	return 0;
}
