// SPDX-License-Identifier: Apache-2.0
/*
 * Process 1 of a virtual machine that loads BPF objects which the kernel oracle's guest cannot: programs that are attached
 * to other programs, and programs that need kernel modules. It follows /jobs/plan, a command a line:
 *
 *   module FILE                           loads /jobs/FILE into the kernel
 *   load ID OBJECT PROGRAM TARGET FUNCTION  loads one program of /jobs/OBJECT, which then stays loaded; TARGET is the ID of an
 *                                         earlier one, FUNCTION a function of it; "-" where there is none
 *   symbol NAME                           tells an address
 *
 * and writes a JSON line for each to the first virtio serial port.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 256

static FILE *out;
static char verifier_log[16 << 20];
static char warnings[1 << 16];
static struct { char id[256]; int fd; } loaded[MOST];
static int count;

static int note(enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t used = strlen(warnings);
	if (level == LIBBPF_WARN)
		vsnprintf(warnings + used, sizeof(warnings) - used, format, arguments);
	return 0;
}

static void text(const char *name, const char *value)
{
	fprintf(out, ",\"%s\":\"", name);
	for (const unsigned char *c = (const void *)value; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20 || *c > 0x7e)
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static void hex(const char *name, const void *bytes, size_t size)
{
	fprintf(out, ",\"%s\":\"", name);
	for (size_t i = 0; i < size; i++)
		fprintf(out, "%02x", ((const unsigned char *)bytes)[i]);
	fputc('"', out);
}

/* What the kernel made of a program: its dump and its functions' code. */
static void dump(int fd)
{
	struct bpf_prog_info info = {}, want = {};
	__u32 size = sizeof(info);
	if (bpf_prog_get_info_by_fd(fd, &info, &size))
		return;
	__u32 functions = info.nr_jited_ksyms;
	unsigned char *translated = calloc(1, info.xlated_prog_len + 1), *code = calloc(1, info.jited_prog_len + 1);
	__u64 *addresses = calloc(functions + 1, sizeof(*addresses));
	__u32 *lengths = calloc(functions + 1, sizeof(*lengths));
	want.xlated_prog_insns = (long)translated;
	want.xlated_prog_len = info.xlated_prog_len;
	want.jited_prog_insns = (long)code;
	want.jited_prog_len = info.jited_prog_len;
	want.jited_ksyms = (long)addresses;
	want.nr_jited_ksyms = functions;
	want.jited_func_lens = (long)lengths;
	want.nr_jited_func_lens = functions;
	size = sizeof(want);
	if (!bpf_prog_get_info_by_fd(fd, &want, &size)) {
		unsigned char *at = code;
		hex("translated", translated, info.xlated_prog_len);
		fputs(",\"functions\":[", out);
		for (__u32 i = 0; i < functions; at += lengths[i++]) {
			fprintf(out, "%s{\"address\":\"0x%llx\"", i ? "," : "", addresses[i]);
			hex("code", at, lengths[i]);
			fputc('}', out);
		}
		fputc(']', out);
	}
	free(translated), free(code), free(addresses), free(lengths);
}

static int descriptor(const char *id)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(loaded[i].id, id))
			return loaded[i].fd;
	return -1;
}

static void load(const char *id, const char *object_name, const char *program, const char *target, const char *function)
{
	char path[512];
	struct bpf_program *one, *wanted = NULL;
	int err = 0, fd = -1;

	snprintf(path, sizeof(path), "/jobs/%s", object_name);
	warnings[0] = verifier_log[0] = 0;
	fputs("{\"id\":\"", out), fputs(id, out), fputc('"', out);
	text("object", object_name);
	text("program", program);
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	if (!object) {
		fprintf(out, ",\"errno\":%d", -errno);
		goto end;
	}
	bpf_object__for_each_program(one, object) {
		bpf_program__set_autoload(one, !strcmp(bpf_program__name(one), program));
		if (!strcmp(bpf_program__name(one), program))
			wanted = one;
	}
	if (strcmp(target, "-"))
		err = bpf_program__set_attach_target(wanted, descriptor(target), strcmp(function, "-") ? function : NULL);
	bpf_program__set_log_buf(wanted, verifier_log, sizeof(verifier_log));
	bpf_program__set_log_level(wanted, 2 | 4);
	if (!err)
		err = bpf_object__load(object);
	fprintf(out, ",\"type\":%d,\"attachType\":%d,\"errno\":%d", bpf_program__type(wanted),
		bpf_program__expected_attach_type(wanted), err);
	hex("instructions", bpf_program__insns(wanted), bpf_program__insn_cnt(wanted) * 8);
	fd = bpf_program__fd(wanted);
	if (!err && fd >= 0 && count < MOST) {
		dump(fd);
		snprintf(loaded[count].id, sizeof(loaded[count].id), "%s", id);
		loaded[count++].fd = fd;
	}
end:
	text("log", verifier_log);
	text("libbpf", warnings);
	fputs("}\n", out), fflush(out); /* the object stays open, and its program loaded */
}

static void load_module(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "/jobs/%s", name);
	int fd = open(path, O_RDONLY);
	long err = syscall(SYS_finit_module, fd, "", 0);
	fprintf(out, "{\"module\":\"%s\",\"errno\":%d}\n", name, err ? -errno : 0);
	close(fd);
}

static void symbol(const char *name)
{
	char line[512], found[256];
	unsigned long long address;
	FILE *symbols = fopen("/proc/kallsyms", "r");
	while (symbols && fgets(line, sizeof(line), symbols))
		if (sscanf(line, "%llx %*c %255s", &address, found) == 2 && !strcmp(found, name)) {
			fprintf(out, "{\"symbol\":\"%s\",\"address\":\"0x%llx\"}\n", name, address);
			break;
		}
	if (symbols)
		fclose(symbols);
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	if (fd >= 0 && write(fd, value, strlen(value)) > 0)
		close(fd);
}

int main(void)
{
	char line[1024], word[6][256];

	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	put("/proc/sys/net/core/bpf_jit_enable", "1");
	put("/proc/sys/kernel/kptr_restrict", "0");
	for (int i = 0; i < 100 && !out; i++) {
		out = fopen("/dev/vport0p1", "w");
		if (!out)
			out = fopen("/dev/vport1p1", "w");
		if (!out)
			usleep(100000);
	}
	if (!out)
		out = stdout;
	libbpf_set_print(note);
	FILE *plan = fopen("/jobs/plan", "r");
	while (plan && fgets(line, sizeof(line), plan)) {
		int words = sscanf(line, "%255s %255s %255s %255s %255s %255s", word[0], word[1], word[2], word[3], word[4], word[5]);
		if (words == 2 && !strcmp(word[0], "module"))
			load_module(word[1]);
		else if (words == 2 && !strcmp(word[0], "symbol"))
			symbol(word[1]);
		else if (words == 6)
			load(word[1], word[2], word[3], word[4], word[5]);
		fflush(out);
	}
	fputs("{\"done\":true}\n", out), fflush(out);
	sync();
	sleep(1);
	reboot(RB_POWER_OFF);
	return 0;
}
