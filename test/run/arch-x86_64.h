/* What the harness must know of x86-64: registers at a fault, and the kernel's exception table. */

static uint64_t fault_pc(const ucontext_t *uc) { return uc->uc_mcontext.gregs[REG_RIP]; }
static void set_pc(ucontext_t *uc, uint64_t pc) { uc->uc_mcontext.gregs[REG_RIP] = pc; }
static void zero_register(ucontext_t *uc, int number) {
  static const int by_number[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  uc->uc_mcontext.gregs[by_number[number]] = 0;
}

/* %rsp holds no BPF register: its number stands where none is zeroed. */
enum { NO_REGISTER = 4 };

/* struct exception_table_entry of Linux 6.12 */
struct kernel_entry {
  int32_t insn, fixup, data;
};
__attribute__((unused)) static uint64_t resume_of(const struct kernel_entry *e) {
  return (uint64_t)(uintptr_t)&e->insn + (int64_t)e->insn + (e->fixup & 0xff);
}
/* The fixup says where struct pt_regs keeps the register: in words, r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi */
__attribute__((unused)) static int register_of(const struct kernel_entry *e) {
  static const signed char by_word[] = {15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7};
  int at = e->fixup >> 8;
  return at == 1 ? -1 : by_word[at / 8];
}
/* jmp *2(%rip); two bytes of nothing; address */
__attribute__((unused)) static const unsigned char jump_code[] = {0xff, 0x25, 2, 0, 0, 0, 0x90, 0x90};
