/* What takes more than one system call, or somebody else than the process: KSM, swap, UFFDIO_MOVE, the lock on settings. */
#ifndef DAEMONS_H
#define DAEMONS_H
void ksm_scan(int scans);
void ksm_unmerge(void);
long swap_on(const char *device);
long swap_off(const char *device);
/* The machine to ourselves: 0, or -EWOULDBLOCK when somebody else has it and we shall not wait. */
long lock_system(int wait);
void unlock_system(void);
/* UFFDIO_MOVE of `bytes`, with the VMA [start, end) of the destination registered meanwhile. */
long userfault_move(int slot, unsigned long to, unsigned long from, unsigned long bytes, unsigned long start, unsigned long end);
#endif
