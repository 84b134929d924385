// SPDX-License-Identifier: Apache-2.0
/*
 * The recorder's hand inside the machine whose kernel is recorded.
 *
 * It knows nothing of what is recorded: it answers five kinds of requests and leaves all thinking to the host. Requests
 * are answered strictly in order, so that the host may send many before it reads the first answer. The numbers of messages
 * are little-endian; what they carry (attributes, buffers, memory) is as the machine has it.
 *
 *   request:  u32 length of what follows | u8 kind | payload
 *   answer:   u32 length of what follows | payload
 *
 *   FILE  path                          → s32 errno or 0, contents
 *   PEEK  (u64 address, u32 length)…    → for each: s32 errno or 0, bytes (present only where the errno is 0)
 *   BPF   u8 then, u32 command, u16 attribute size, attribute, buffers… → see bpf_request()
 *   CLOSE u32 descriptor                → s32 errno or 0
 *   CAPABILITIES u64 set                → s32 errno or 0; those permitted of the set take effect from here on
 *
 * As process 1 of a virtual machine it talks over the first virtio serial port, after loading the modules that lie in
 * /modules (in the order of /modules/order); anywhere else over standard input and output.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { KIND_FILE = 1, KIND_PEEK = 2, KIND_BPF = 3, KIND_CLOSE = 4, KIND_CAPABILITIES = 5 };

/* What becomes of a successful BPF command's descriptor. */
enum then { THEN_KEEP = 0, THEN_CLOSE = 1, THEN_DUMP = 2, THEN_DUMP_ALL = 3 };

/* How a buffer of a BPF command is answered. */
enum direction { BUFFER_IN = 0, BUFFER_OUT = 1, BUFFER_TEXT = 2 };

static int in_fd = 0, out_fd = 1;

/* ---- bytes ---- */

struct bytes {
	uint8_t *data;
	size_t used, room;
};

static void put(struct bytes *to, const void *data, size_t size)
{
	if (to->used + size > to->room) {
		to->room = (to->used + size) * 2 + 4096;
		to->data = realloc(to->data, to->room);
		if (!to->data)
			_exit(3);
	}
	memcpy(to->data + to->used, data, size);
	to->used += size;
}

static void put_s32(struct bytes *to, int32_t value)
{
	value = htole32(value);
	put(to, &value, sizeof(value));
}

static void read_all(void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(in_fd, (char *)data + done, size - done);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) /* the host is done with us */
			exit(0);
		done += n;
	}
}

static void write_all(const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(out_fd, (const char *)data + done, size - done);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			exit(1);
		done += n;
	}
}

/* A request's payload, taken apart from front to back; running out of it ends the program. */
struct cursor {
	const uint8_t *at, *end;
};

static const void *take(struct cursor *c, size_t size)
{
	const uint8_t *at = c->at;

	if ((size_t)(c->end - c->at) < size) {
		fprintf(stderr, "record-target agent: short request\n");
		exit(2);
	}
	c->at += size;
	return at;
}

static uint8_t take_u8(struct cursor *c)
{
	return *(const uint8_t *)take(c, 1);
}

static uint16_t take_u16(struct cursor *c)
{
	uint16_t v;

	memcpy(&v, take(c, sizeof(v)), sizeof(v));
	return le16toh(v);
}

static uint32_t take_u32(struct cursor *c)
{
	uint32_t v;

	memcpy(&v, take(c, sizeof(v)), sizeof(v));
	return le32toh(v);
}

static uint64_t take_u64(struct cursor *c)
{
	uint64_t v;

	memcpy(&v, take(c, sizeof(v)), sizeof(v));
	return le64toh(v);
}

/* ---- FILE ---- */

static void file_request(struct cursor *request, struct bytes *answer)
{
	size_t length = request->end - request->at;
	char path[4096];
	static char chunk[1 << 16];
	ssize_t n;
	int fd;

	if (length >= sizeof(path)) {
		put_s32(answer, ENAMETOOLONG);
		return;
	}
	memcpy(path, take(request, length), length);
	path[length] = 0;
	fd = open(path, O_RDONLY);
	put_s32(answer, fd < 0 ? errno : 0);
	if (fd < 0)
		return;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		put(answer, chunk, n);
	close(fd);
}

/* ---- PEEK: the kernel's memory, as /proc/kcore shows it ---- */

static struct {
	int fd, error, segments;
	Elf64_Phdr segment[128];
} core = { .fd = -1 };

static void core_open(void)
{
	Elf64_Ehdr header;

	core.fd = open("/proc/kcore", O_RDONLY);
	core.error = core.fd < 0 ? errno : EFAULT;
	if (core.fd < 0 || pread(core.fd, &header, sizeof(header), 0) != sizeof(header))
		return;
	core.segments = header.e_phnum < 128 ? header.e_phnum : 128;
	if (pread(core.fd, core.segment, core.segments * sizeof(Elf64_Phdr), header.e_phoff) < 0)
		core.segments = 0;
}

static int core_read(uint64_t address, void *data, size_t size)
{
	for (int i = 0; i < core.segments; i++) {
		const Elf64_Phdr *s = &core.segment[i];

		if (s->p_type != PT_LOAD || address < s->p_vaddr || address - s->p_vaddr >= s->p_memsz ||
		    size > s->p_memsz - (address - s->p_vaddr))
			continue;
		for (size_t done = 0; done < size;) {
			ssize_t n = pread(core.fd, (char *)data + done, size - done,
					  s->p_offset + (address - s->p_vaddr) + done);
			if (n <= 0)
				return n < 0 ? errno : EFAULT;
			done += n;
		}
		return 0;
	}
	return core.error;
}

static void peek_request(struct cursor *request, struct bytes *answer)
{
	if (core.fd < 0)
		core_open();
	while (request->at < request->end) {
		uint64_t address = take_u64(request);
		uint32_t size = take_u32(request);
		uint8_t *data = malloc(size + 1);
		int error = data ? core_read(address, data, size) : ENOMEM;

		put_s32(answer, error);
		if (!error)
			put(answer, data, size);
		free(data);
	}
}

/* ---- BPF: one bpf(2) command ---- */

static void put_buffer(struct bytes *to, const void *data, uint32_t size)
{
	put_s32(to, size);
	put(to, data, size);
}

/*
 * The translated program behind a descriptor; with `all` also its machine code, and of each function the address (u64) and
 * the length (u32) in it, and the ids of its maps (u32). Nothing of a program that the kernel tells nothing of.
 */
static void dump_program(int fd, struct bytes *answer, int all)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = { .info = { .bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)&info } };
	uint8_t *translated, *code;
	uint64_t *addresses;
	uint32_t *lengths, *maps;

	if (syscall(__NR_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) != 0)
		memset(&info, 0, sizeof(info));
	struct bpf_prog_info wanted = {
		.xlated_prog_len = info.xlated_prog_len,
		.jited_prog_len = info.jited_prog_len,
		.nr_jited_ksyms = info.nr_jited_ksyms,
		.nr_jited_func_lens = info.nr_jited_func_lens,
		.nr_map_ids = info.nr_map_ids,
	};

	translated = calloc(1, wanted.xlated_prog_len + 1);
	code = calloc(1, wanted.jited_prog_len + 1);
	addresses = calloc(wanted.nr_jited_ksyms + 1, sizeof(*addresses));
	lengths = calloc(wanted.nr_jited_func_lens + 1, sizeof(*lengths));
	maps = calloc(wanted.nr_map_ids + 1, sizeof(*maps));
	if (!translated || !code || !addresses || !lengths || !maps)
		exit(3);
	info = wanted;
	info.xlated_prog_insns = (uintptr_t)translated;
	info.jited_prog_insns = (uintptr_t)code;
	info.jited_ksyms = (uintptr_t)addresses;
	info.jited_func_lens = (uintptr_t)lengths;
	info.map_ids = (uintptr_t)maps;
	attr.info.info_len = sizeof(info);
	if (syscall(__NR_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) != 0)
		memset(&wanted, 0, sizeof(wanted));
	put_buffer(answer, translated, wanted.xlated_prog_len);
	if (all) {
		put_buffer(answer, code, wanted.jited_prog_len);
		put_buffer(answer, addresses, wanted.nr_jited_ksyms * sizeof(*addresses));
		put_buffer(answer, lengths, wanted.nr_jited_func_lens * sizeof(*lengths));
		put_buffer(answer, maps, wanted.nr_map_ids * sizeof(*maps));
	}
	free(translated);
	free(code);
	free(addresses);
	free(lengths);
	free(maps);
}

/* ---- CAPABILITIES ---- */

static uint64_t capabilities = ~0ull;

static int take_effect(uint64_t set)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(__NR_capget, &header, data))
		return errno;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted & (uint32_t)(set >> (32 * i));
	return syscall(__NR_capset, &header, data) ? errno : 0;
}

static int set_capabilities(uint64_t set)
{
	int error = take_effect(set);

	if (!error)
		capabilities = set;
	return error;
}

/*
 * request: u8 then | u32 command | u16 attribute size | attribute | buffers until the end:
 *          u16 offset of the buffer's address in the attribute | u8 direction | u32 size | bytes (BUFFER_IN only)
 * answer:  s32 what bpf(2) returned, or a negative errno
 *          for each buffer not BUFFER_IN: u32 size | bytes (BUFFER_TEXT: up to the NUL)
 *          with THEN_DUMP, where the command succeeded: u32 size | the translated instructions
 *          with THEN_DUMP_ALL: four more such buffers, see dump_program()
 */
static void bpf_request(struct cursor *request, struct bytes *answer)
{
	static uint8_t attr[512] __attribute__((aligned(8)));
	struct {
		uint8_t direction;
		uint32_t size;
		uint8_t *data;
	} buffer[16];
	int then = take_u8(request), buffers = 0, result;
	uint32_t command = take_u32(request);
	uint16_t attr_size = take_u16(request);

	if (attr_size > sizeof(attr)) {
		put_s32(answer, -E2BIG);
		return;
	}
	memcpy(attr, take(request, attr_size), attr_size);
	while (request->at < request->end && buffers < 16) {
		uint16_t offset = take_u16(request);
		uint8_t direction = take_u8(request);
		uint32_t size = take_u32(request);
		uint8_t *data = malloc(size + 1);
		uint64_t address = (uintptr_t)data;

		if (!data || offset + 8 > attr_size)
			exit(2);
		if (direction == BUFFER_IN)
			memcpy(data, take(request, size), size);
		else
			data[0] = 0;
		memcpy(attr + offset, &address, sizeof(address));
		buffer[buffers].direction = direction;
		buffer[buffers].size = size;
		buffer[buffers++].data = data;
	}
	result = syscall(__NR_bpf, command, attr, attr_size);
	put_s32(answer, result < 0 ? -errno : result);
	for (int i = 0; i < buffers; i++) {
		if (buffer[i].direction != BUFFER_IN) {
			uint32_t size = buffer[i].size;

			if (buffer[i].direction == BUFFER_TEXT)
				size = strnlen((char *)buffer[i].data, size);
			put_buffer(answer, buffer[i].data, size);
		}
		free(buffer[i].data);
	}
	if (result < 0)
		return;
	if (then == THEN_DUMP || then == THEN_DUMP_ALL) {
		take_effect(~0ull); /* only who is capable of BPF is shown */
		dump_program(result, answer, then == THEN_DUMP_ALL);
		take_effect(capabilities);
	}
	if (then != THEN_KEEP)
		close(result);
}

/* ---- start ---- */

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "record-target agent: %s: %s\n", path, strerror(errno));
	close(fd);
}

static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "r");
	char name[256], path[512];

	while (order && fgets(name, sizeof(name), order)) {
		int fd;

		name[strcspn(name, "\n")] = 0;
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY);
		if (fd < 0 || (syscall(__NR_finit_module, fd, "", 0) && errno != EEXIST))
			fprintf(stderr, "record-target agent: %s: %s\n", path, strerror(errno));
		close(fd);
	}
	if (order)
		fclose(order);
}

/* What an init program does: file systems, drivers, and the line to the host. */
static void become_init(void)
{
	static const char *const ports[] = { "/dev/vport0p1", "/dev/vport1p1", "/dev/vport2p1" };

	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, "");
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, "");
	mount("bpffs", "/sys/fs/bpf", "bpf", 0, "");
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, "");
	load_modules();
	/* Programs of processes without any capability are asked for, too. */
	write_text("/proc/sys/kernel/unprivileged_bpf_disabled", "0");
	write_text("/proc/sys/kernel/perf_event_paranoid", "-1"); /* addresses are shown of their programs, too */
	for (int attempt = 0; attempt < 1000; attempt++) {
		int fd = open(ports[attempt % 3], O_RDWR);

		if (fd >= 0) {
			in_fd = out_fd = fd;
			return;
		}
		usleep(10000);
	}
	fprintf(stderr, "record-target agent: no virtio serial port\n");
	reboot(RB_POWER_OFF);
}

static void power_off(void)
{
	reboot(RB_POWER_OFF);
}

int main(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct bytes request = {}, answer = {};

	if (getpid() == 1) {
		become_init();
		atexit(power_off);
	}
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	write_text("/proc/sys/net/core/bpf_jit_enable", "1");
	write_text("/proc/sys/kernel/kptr_restrict", "0");
	for (;;) {
		uint32_t length;
		struct cursor c;

		read_all(&length, sizeof(length));
		length = le32toh(length);
		request.used = 0;
		if (length > request.room) {
			request.data = realloc(request.data, request.room = length);
			if (!request.data)
				return 3;
		}
		read_all(request.data, length);
		c.at = request.data;
		c.end = request.data + length;
		answer.used = 0;
		put_s32(&answer, 0); /* room for the length */
		switch (take_u8(&c)) {
		case KIND_FILE:
			file_request(&c, &answer);
			break;
		case KIND_PEEK:
			peek_request(&c, &answer);
			break;
		case KIND_BPF:
			bpf_request(&c, &answer);
			break;
		case KIND_CLOSE:
			put_s32(&answer, close(take_u32(&c)) ? errno : 0);
			break;
		case KIND_CAPABILITIES:
			put_s32(&answer, set_capabilities(take_u64(&c)));
			break;
		default:
			fprintf(stderr, "record-target agent: unknown request\n");
			return 2;
		}
		length = htole32(answer.used - sizeof(length));
		memcpy(answer.data, &length, sizeof(length));
		write_all(answer.data, answer.used);
	}
}
