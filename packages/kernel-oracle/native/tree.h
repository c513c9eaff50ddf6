/* The tree of worker processes: starting, driving, burying. */
#ifndef TREE_H
#define TREE_H
#include "mailbox.h"

struct process {
  int pid;     /* 0: the slot is free */
  int pidfd;   /* becomes readable when the process has exited, after its address space is gone */
  int pagemap; /* /proc/PID/pagemap */
  int vmas;    /* the link of the VMA iterator for this task, or -1 */
};

extern struct process processes[SLOTS];

#define DIED (-9999L) /* the process died instead of answering */

void die(const char *what) __attribute__((noreturn));
void tree_start(const char *worker_path);
/* Makes pages of the file present, with contents that no program writes, as shared mappings may have left others: those at its ends, or all. */
void tree_fill_ends(void);
void tree_fill_file(void);
/* What the request answered (a negative errno), or DIED. */
long tree_call(int slot, enum request request, long nr, const unsigned long args[6]);
long tree_syscall(int slot, long nr, unsigned long a0, unsigned long a1, unsigned long a2);
long tree_fork(int slot, int child, unsigned long clone_flags);
long tree_exec(int slot);
void tree_exit(int slot);
void tree_kill_all(void);
/* Room for a struct that a system call of this worker reads; `address` is where the worker sees it. */
void *tree_scratch(int slot, unsigned long *address);
#endif
