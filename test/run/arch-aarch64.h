/* What the harness must know of arm64: registers at a fault, and the kernel's exception table. */

static uint64_t fault_pc(const ucontext_t *uc) { return uc->uc_mcontext.pc; }
static void set_pc(ucontext_t *uc, uint64_t pc) { uc->uc_mcontext.pc = pc; }
static void zero_register(ucontext_t *uc, int number) { uc->uc_mcontext.regs[number] = 0; }

/* x5 holds no BPF register: its number stands where none is zeroed. */
enum { NO_REGISTER = 5 };

/* struct exception_table_entry of Linux 6.12 */
struct kernel_entry {
  int32_t insn;
  uint32_t fixup;
  int16_t type, data;
};
__attribute__((unused)) static uint64_t resume_of(const struct kernel_entry *e) { return (uint64_t)(uintptr_t)&e->fixup - (e->fixup & 0x7ffffff); }
/* -1: none */
__attribute__((unused)) static int register_of(const struct kernel_entry *e) { return e->fixup >> 27 == NO_REGISTER ? -1 : (int)(e->fixup >> 27); }
/* ldr x16, 8; br x16; address */
__attribute__((unused)) static const unsigned char jump_code[] = {0x50, 0, 0, 0x58, 0, 0x02, 0x1f, 0xd6};
