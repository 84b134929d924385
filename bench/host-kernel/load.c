// SPDX-License-Identifier: Apache-2.0
/*
 * Loads one BPF program into this machine's kernel, several times, by bpf(2) alone. The standard input describes it in
 * words (bytes are hexadecimal, "-" where there are none):
 *
 *   btf BYTES
 *   map NAME TYPE KEY_SIZE VALUE_SIZE MAX_ENTRIES FLAGS EXTRA KEY_TYPE VALUE_TYPE INNER FROZEN CONTENTS
 *   program NAME TYPE ATTACH_TYPE FLAGS ATTACH_BTF_ID LICENSE INSTRUCTIONS FUNC_INFO LINE_INFO TIMES
 *
 * A map with types has them in the BTF before it. INNER is the template of a map of maps: the number of a map before it,
 * or -1. Instructions refer to maps by their numbers, from 0. LICENSE is bytes, too.
 *
 * Writes the verifier's log at level 4, its statistics, once for each time. Where the kernel refuses anything, ends with 1
 * and writes "COMMAND: the error's text" on the standard error, a refused program's log on the standard output.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_MAPS 256
#define LOG_STATS 4

static int map_fds[MOST_MAPS];
static int map_count;
static int btf_fd;
static char verifier_log[1 << 20];

static void die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* The kernel refuses attributes with anything in what it does not know: padding counts. */
static union bpf_attr nothing(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	return attr;
}

/* bpf(2): a descriptor or 0. */
static int bpf(int command, const char *name, union bpf_attr *attr)
{
	long result = syscall(__NR_bpf, command, attr, sizeof(*attr));

	if (result < 0)
		die(name, strerror(errno));
	return result;
}

static __u64 address(const void *pointer)
{
	return (unsigned long)pointer;
}

/* The next word; NULL at the end. */
static char *next_word(void)
{
	static char *rest;
	static size_t size;
	char *found = NULL;

	if (!rest && getdelim(&rest, &size, '\0', stdin) < 0)
		return NULL;
	while (rest && (!found || !*found))
		found = strsep(&rest, " \n");
	return found && *found ? found : NULL;
}

static char *word(void)
{
	char *found = next_word();

	if (!found)
		die("description", "it ends early");
	return found;
}

static __u64 number(void)
{
	return strtoull(word(), NULL, 0);
}

struct bytes {
	unsigned char *data;
	__u32 size;
};

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Aligned, with a zero behind. */
static struct bytes bytes(void)
{
	const char *text = word();
	struct bytes result = { NULL, strcmp(text, "-") ? strlen(text) / 2 : 0 };

	result.data = calloc(1, result.size + 1);
	if (!result.data)
		die("description", strerror(errno));
	for (__u32 i = 0; i < result.size; i++)
		result.data[i] = digit(text[2 * i]) << 4 | digit(text[2 * i + 1]);
	return result;
}

static void load_btf(void)
{
	struct bytes blob = bytes();
	union bpf_attr attr = nothing();

	attr.btf = address(blob.data);
	attr.btf_size = blob.size;
	btf_fd = bpf(BPF_BTF_LOAD, "BPF_BTF_LOAD", &attr);
}

static void fill_map(int fd, const unsigned char *contents)
{
	__u32 key = 0;
	union bpf_attr attr = nothing();

	attr.map_fd = fd;
	attr.key = address(&key);
	attr.value = address(contents);
	bpf(BPF_MAP_UPDATE_ELEM, "BPF_MAP_UPDATE_ELEM", &attr);
}

static void freeze_map(int fd)
{
	union bpf_attr attr = nothing();

	attr.map_fd = fd;
	bpf(BPF_MAP_FREEZE, "BPF_MAP_FREEZE", &attr);
}

static void create_map(void)
{
	union bpf_attr attr = nothing();

	if (map_count == MOST_MAPS)
		die("description", "too many maps");
	strncpy(attr.map_name, word(), sizeof(attr.map_name) - 1);
	attr.map_type = number();
	attr.key_size = number();
	attr.value_size = number();
	attr.max_entries = number();
	attr.map_flags = number();
	attr.map_extra = number();
	attr.btf_key_type_id = number();
	attr.btf_value_type_id = number();
	if (attr.btf_key_type_id || attr.btf_value_type_id)
		attr.btf_fd = btf_fd;
	int inner = number();
	if (inner >= 0)
		attr.inner_map_fd = map_fds[inner];
	int frozen = number();
	struct bytes contents = bytes();

	int fd = bpf(BPF_MAP_CREATE, "BPF_MAP_CREATE", &attr);
	map_fds[map_count++] = fd;
	if (contents.size)
		fill_map(fd, contents.data);
	if (frozen)
		freeze_map(fd);
}

/* Puts descriptors where the instructions have maps' numbers. */
static void refer_to_maps(struct bpf_insn *insn, __u32 count)
{
	for (__u32 i = 0; i < count; i++) {
		if (insn[i].code != (BPF_LD | BPF_DW | BPF_IMM))
			continue;
		if (insn[i].src_reg == BPF_PSEUDO_MAP_FD || insn[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insn[i].imm = map_fds[insn[i].imm];
		i++;
	}
}

static void load_program(void)
{
	union bpf_attr attr = nothing();

	strncpy(attr.prog_name, word(), sizeof(attr.prog_name) - 1);
	attr.prog_type = number();
	attr.expected_attach_type = number();
	attr.prog_flags = number();
	attr.attach_btf_id = number();
	attr.license = address(bytes().data);
	struct bytes instructions = bytes();
	struct bytes func_info = bytes();
	struct bytes line_info = bytes();
	attr.insns = address(instructions.data);
	attr.insn_cnt = instructions.size / sizeof(struct bpf_insn);
	refer_to_maps((struct bpf_insn *)instructions.data, attr.insn_cnt);
	attr.prog_btf_fd = btf_fd;
	attr.func_info = address(func_info.data);
	attr.func_info_rec_size = sizeof(struct bpf_func_info);
	attr.func_info_cnt = func_info.size / sizeof(struct bpf_func_info);
	attr.line_info = address(line_info.data);
	attr.line_info_rec_size = sizeof(struct bpf_line_info);
	attr.line_info_cnt = line_info.size / sizeof(struct bpf_line_info);
	attr.log_level = LOG_STATS;
	attr.log_buf = address(verifier_log);
	attr.log_size = sizeof(verifier_log);

	for (int times = number(); times > 0; times--) {
		long fd = syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
		int error = errno;

		fputs(verifier_log, stdout);
		if (fd < 0)
			die("BPF_PROG_LOAD", strerror(error));
		close(fd);
	}
}

int main(void)
{
	for (char *command; (command = next_word());) {
		if (!strcmp(command, "btf"))
			load_btf();
		else if (!strcmp(command, "map"))
			create_map();
		else if (!strcmp(command, "program"))
			load_program();
		else
			die("description", command);
	}
	return 0;
}
