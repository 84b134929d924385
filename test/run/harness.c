/*
 * Runs machine code that the JIT made, natively or under qemu-user: maps memory where the code expects it, calls it, and does at a
 * fault what the kernel does (look the access up in the exception tables, zero the register, go on at the resume point).
 * What differs between the architectures is in arch-NAME.h.
 *
 *     harness BATCH       reads the file below, prints a line "result" (hexadecimal) for each RUN
 *
 * BATCH is a sequence of commands of 64-bit words in the machine's byte order:
 *
 *     1 ADDRESS LENGTH            map zeroed memory, readable, writable and executable
 *     2 ADDRESS LENGTH bytes…     write (padded to 8 bytes)
 *     3 ADDRESS STAND_IN          put a jump to the stand-in for a kernel function there
 *     4 ADDRESS ENTRIES           an exception table in memory: struct exception_table_entry as Linux lays it out
 *     5 ENTRY ARGUMENT            call code with an argument, print what it returns
 *     6                           forget the exception tables
 *     7 ADDRESS                   print the 64-bit word in memory
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__aarch64__)
#include "arch-aarch64.h"
#elif defined(__x86_64__)
#include "arch-x86_64.h"
#elif defined(__s390x__)
#include "arch-s390x.h"
#endif

enum { MAX_TABLES = 4096 };
static struct {
  struct kernel_entry *entries;
  uint64_t count;
} tables[MAX_TABLES];
static int table_count;

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  for (int t = 0; t < table_count; t++)
    for (uint64_t k = 0; k < tables[t].count; k++) {
      struct kernel_entry *e = &tables[t].entries[k];
      if ((uint64_t)(uintptr_t)&e->insn + (int64_t)e->insn != fault_pc(uc)) continue;
      if (register_of(e) >= 0) zero_register(uc, register_of(e));
      set_pc(uc, resume_of(e));
      return;
    }
  signal(signal_number, SIG_DFL); /* not ours: the access faults again, and kills */
}

/* Stand-ins. A map here is an array of one-word values with a presence flag, indexed by a 32-bit key. */
struct map {
  uint64_t present[16], value[16];
};
/* As the kernel's lookup in a hash: answers the element, of which the value (behind a 4-byte key) begins 56 bytes in. */
static uint64_t lookup(struct map *map, const uint32_t *key) {
  return *key < 16 && map->present[*key] ? (uint64_t)(intptr_t)&map->value[*key] - 56 : 0;
}
static uint64_t update(struct map *map, const uint32_t *key, const uint64_t *value, uint64_t flags) {
  if (*key >= 16 || flags) return -1;
  map->present[*key] = 1;
  map->value[*key] = *value;
  return 0;
}
/* An iterator's output: here, text of its 64-bit words. */
static uint64_t seq_write(void *seq, const uint64_t *data, uint32_t length) {
  printf("write");
  for (uint32_t i = 0; i < length / 8; i++) printf(" %llu", (unsigned long long)data[i]);
  printf("\n");
  return 0;
}
static void *const stand_ins[] = {lookup, update, seq_write};

static uint64_t word(FILE *f) {
  uint64_t w;
  if (fread(&w, 8, 1, f) != 1) {
    fprintf(stderr, "the batch ends in the middle of a command\n");
    exit(2);
  }
  return w;
}

static void map_memory(uint64_t address, uint64_t length) {
  void *want = (void *)(intptr_t)address;
  void *got = mmap(want, length, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (got != want) {
    perror("mmap");
    exit(2);
  }
}

static void write_memory(FILE *f, uint64_t address, uint64_t length) {
  char *to = (char *)(intptr_t)address;
  if (length && fread(to, 1, length, f) != length) exit(2);
  for (; length % 8; length++)
    if (fgetc(f) == EOF) exit(2);
  __builtin___clear_cache(to, to + length);
}

static void put_jump(uint64_t address, uint64_t stand_in) {
  char *to = (char *)(intptr_t)address;
  if (stand_in >= sizeof stand_ins / sizeof *stand_ins) exit(2);
  memcpy(to, jump_code, sizeof jump_code);
  memcpy(to + sizeof jump_code, &stand_ins[stand_in], 8);
  __builtin___clear_cache(to, to + sizeof jump_code + 8);
}

int main(int argc, char **argv) {
  FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  uint64_t command;
  if (!f) return 2;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  while (fread(&command, 8, 1, f) == 1) {
    uint64_t a = command == 6 ? 0 : word(f), b = command == 6 || command == 7 ? 0 : word(f);
    if (command == 1) map_memory(a, b);
    else if (command == 2) write_memory(f, a, b);
    else if (command == 3) put_jump(a, b);
    else if (command == 4 && table_count < MAX_TABLES) {
      tables[table_count].entries = (struct kernel_entry *)(intptr_t)a;
      tables[table_count++].count = b;
    } else if (command == 5) {
      uint64_t (*code)(uint64_t) = (uint64_t(*)(uint64_t))(intptr_t)a;
      printf("%llx\n", (unsigned long long)code(b));
    } else if (command == 6) table_count = 0;
    else if (command == 7) printf("%llx\n", *(unsigned long long *)(intptr_t)a);
    else return 2;
    fflush(stdout);
  }
  return 0;
}
