/* What the harness must know of s390x: registers at a fault, and the kernel's exception table. */

static uint64_t fault_pc(const ucontext_t *uc) { return uc->uc_mcontext.psw.addr; }
static void set_pc(ucontext_t *uc, uint64_t pc) { uc->uc_mcontext.psw.addr = pc; }
static void zero_register(ucontext_t *uc, int number) { uc->uc_mcontext.gregs[number] = 0; }

/* %r0 holds no BPF register: its number stands where none is zeroed. */
enum { NO_REGISTER = 0 };

/* struct exception_table_entry of Linux 6.12 */
struct kernel_entry {
  int32_t insn, fixup;
  int16_t type, data;
};
__attribute__((unused)) static uint64_t resume_of(const struct kernel_entry *e) { return (uint64_t)(uintptr_t)&e->fixup + (int64_t)e->fixup; }
__attribute__((unused)) static int register_of(const struct kernel_entry *e) { return e->data; }
/* lgrl %r1,8; br %r1; address */
__attribute__((unused)) static const unsigned char jump_code[] = {0xc4, 0x18, 0, 0, 0, 4, 0x07, 0xf1};
