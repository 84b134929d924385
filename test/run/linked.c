/*
 * Linked with an object that the compiler wrote: calls its program `main_program`, provides what it refers to, and handles
 * faults by the object's own exception table, whose bounds ld gives. Prints a line per call.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>

#if defined(__aarch64__)
#include "arch-aarch64.h"
#elif defined(__x86_64__)
#include "arch-x86_64.h"
#elif defined(__s390x__)
#include "arch-s390x.h"
#endif

/* As docs/relocations.md has it: both places relative to their own fields, the register in `data`. */
struct entry {
  int32_t insn, resume;
  int16_t type, data;
};
extern struct entry __start_bpf_extable[], __stop_bpf_extable[];

uint64_t values[4] __asm__("bpf_map_value.counts") = {7, 8, 9, 10};
uint64_t map __asm__("bpf_map.counts");
void dummy_tramp(void) {}

/* A kernel function: calls the program's own function with each of two numbers, and adds up. */
uint64_t for_each(uint64_t (*callback)(uint64_t), uint64_t first, uint64_t second) {
  return callback(first) + callback(second);
}

extern uint64_t main_program(void *context);

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  for (struct entry *e = __start_bpf_extable; e < __stop_bpf_extable; e++) {
    if ((uintptr_t)&e->insn + e->insn != fault_pc(uc)) continue;
    if (e->data != NO_REGISTER) zero_register(uc, e->data);
    set_pc(uc, (uintptr_t)&e->resume + e->resume);
    return;
  }
  signal(signal_number, SIG_DFL);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  uint64_t number = 1000;
  sigaction(SIGSEGV, &action, NULL);
  printf("%llu\n", (unsigned long long)main_program(&number));
  printf("%llu\n", (unsigned long long)main_program(NULL));
  printf("%d\n", (int)values[1]);
  return 0;
}
