/*
 * Executes memory operations in one process of the tree.
 *
 * No C library, no .data or .bss, no heap, no thread-local storage; its stack and its mailbox lie in a MAP_SHARED memfd. So apart
 * from the arena it owns no private writable memory, and therefore no anon_vma: every anon_vma and anon_vma_chain that is counted
 * for this process belongs to the program under test.
 */
#include "mailbox.h"

#define NR_mmap 9
#define NR_rt_sigaction 13
#define NR_madvise 28
#define NR_clone 56
#define NR_futex 202
#define NR_execveat 322
#define PROT_RW 3
#define MAP_SHARED_FIXED 0x11
#define MADV_COLD_ 20
#define FUTEX_WAIT_ 0
#define FUTEX_WAKE_ 1
#define AT_EMPTY_PATH 0x1000
#define SIGBUS_ 7
#define SIGSEGV_ 11
#define SIGCHLD_ 17
#define SA_RESTORER_ 0x04000000UL
#define SA_NODEFER_ 0x40000000UL
#define SA_SIGINFO_ 4UL

static inline long sc(long n, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e,
                      unsigned long f) {
  long r;
  register unsigned long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(r)
               : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return r;
}

/*
 * A touch is a real load or store that faults like any other program's. If it raises SIGSEGV or SIGBUS, the handler rewrites the
 * saved context so that touch_* returns -signal.
 */
asm(".globl touch_read, touch_write, touch_fault, sigret, _start\n"
    "touch_read:  movzbl (%rdi), %eax\n"
    "             xorl %eax, %eax\n"
    "             ret\n"
    "touch_write: movq %rsi, (%rdi)\n"
    "             xorl %eax, %eax\n"
    "             ret\n"
    "touch_fault: ret\n"
    "sigret:      movl $15, %eax\n"
    "             syscall\n"
    "_start:      movq %rsp, %rdi\n"
    "             andq $-16, %rsp\n"
    "             call boot\n");
long touch_read(unsigned long address);
long touch_write(unsigned long address, unsigned long word);
void touch_fault(void);
void sigret(void);

static void on_fault(int sig, void *info, unsigned long *ucontext) {
  (void)info;
  unsigned long *gregs = ucontext + 5; /* behind uc_flags, uc_link and the three words of uc_stack */
  gregs[13] = (unsigned long)-(long)sig;  /* rax */
  gregs[16] = (unsigned long)touch_fault; /* rip */
}

static struct slot *slot_of(unsigned i) { return (struct slot *)(SLOT_BASE + i * SLOT_SIZE); }

__attribute__((noreturn)) static void loop(struct slot *s, unsigned seq);
__attribute__((noreturn)) void child_main(struct slot *s) { loop(s, 0); }

/* The mailboxes are shared, so a child needs a stack of its own. */
static long do_fork(struct slot *child, unsigned long flags) {
  long r;
  register unsigned long slot asm("r12") = (unsigned long)child;
  register unsigned long r10 asm("r10") = 0, r8 asm("r8") = 0;
  unsigned long sp = (unsigned long)child + SLOT_SIZE - 64;
  asm volatile("syscall\n"
               "testq %%rax, %%rax\n"
               "jnz 1f\n"
               "movq %%r12, %%rdi\n"
               "xorl %%ebp, %%ebp\n"
               "call child_main\n"
               "1:"
               : "=a"(r)
               : "a"((long)NR_clone), "D"(flags | SIGCHLD_), "S"(sp), "d"(0UL), "r"(r10), "r"(r8), "r"(slot)
               : "rcx", "r11", "memory");
  return r;
}

/* argv[1] of the new image is the number of the slot. */
static long do_exec(struct slot *s) {
  unsigned n = ((unsigned long)s - SLOT_BASE) / SLOT_SIZE, k = 0;
  char name[2] = {'w', 0}, empty[1] = {0}, number[4];
  if (n >= 100) number[k++] = '0' + n / 100;
  if (n >= 10) number[k++] = '0' + n / 10 % 10;
  number[k++] = '0' + n % 10;
  number[k] = 0;
  char *argv[3] = {name, number, 0}, *envp[1] = {0};
  return sc(NR_execveat, WORKER_FD, (unsigned long)empty, (unsigned long)argv, (unsigned long)envp, AT_EMPTY_PATH, 0);
}

/*
 * Pages that wait in this processor's batches (for the LRU lists, for mlock's accounting) carry a reference there, and a write
 * would copy such a page instead of using it again. MADV_COLD empties the batches before it looks at its range.
 */
static void drain(void) { sc(NR_madvise, SLOT_BASE + UNUSED_OFFSET, 4096, MADV_COLD_, 0, 0, 0); }

static void wait_for_work(struct slot *s, unsigned seq) {
  while (__atomic_load_n(&s->cmd, __ATOMIC_ACQUIRE) == seq) sc(NR_futex, (unsigned long)&s->cmd, FUTEX_WAIT_, seq, 0, 0, 0);
}

static void answer(struct slot *s, long r, unsigned seq) {
  s->ret = r;
  __atomic_store_n(&s->done, seq, __ATOMIC_RELEASE);
  sc(NR_futex, (unsigned long)&s->done, FUTEX_WAKE_, 1, 0, 0, 0);
}

static void loop(struct slot *s, unsigned seq) {
  for (;;) {
    wait_for_work(s, seq);
    seq++;
    long r = -1;
    switch (s->request) {
    case DO_SYSCALL: r = sc(s->nr, s->a[0], s->a[1], s->a[2], s->a[3], s->a[4], s->a[5]); break;
    case DO_READ: r = touch_read(s->a[0]); break;
    case DO_WRITE: r = touch_write(s->a[0], s->a[1]); break;
    case DO_FORK: r = do_fork(slot_of(s->child), s->a[0]); break;
    case DO_EXEC: r = do_exec(s); break;
    }
    drain();
    answer(s, r, seq);
  }
}

/* A fresh image answers the request that started it, then serves its slot. */
__attribute__((noreturn)) void resume(struct slot *s) {
  unsigned seq = s->cmd;
  answer(s, 0, seq);
  loop(s, seq);
}

void boot(unsigned long *sp) {
  unsigned slot = 0;
  if (sp[0] > 1)
    for (char *p = (char *)sp[2]; *p; p++) slot = slot * 10 + (unsigned)(*p - '0');
  unsigned long flags = SA_RESTORER_ | SA_NODEFER_ | SA_SIGINFO_;
  unsigned long catch[4] = {(unsigned long)on_fault, flags, (unsigned long)sigret, 0};
  unsigned long ignore[4] = {1, SA_RESTORER_, (unsigned long)sigret, 0};
  sc(NR_rt_sigaction, SIGSEGV_, (unsigned long)catch, 0, 8, 0, 0);
  sc(NR_rt_sigaction, SIGBUS_, (unsigned long)catch, 0, 8, 0, 0);
  sc(NR_rt_sigaction, SIGCHLD_, (unsigned long)ignore, 0, 8, 0, 0); /* children vanish without a zombie */
  sc(NR_mmap, SLOT_BASE, REGION_SIZE, PROT_RW, MAP_SHARED_FIXED, MAILBOX_FD, 0);
  /* From here on the stack that exec made is unused; the driver unmaps it. */
  asm volatile("movq %0, %%rsp\n"
               "movq %1, %%rdi\n"
               "call resume" ::"r"((unsigned long)slot_of(slot) + SLOT_SIZE - 64),
               "r"(slot_of(slot)));
  __builtin_unreachable();
}
