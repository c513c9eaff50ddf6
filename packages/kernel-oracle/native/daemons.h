/* What takes more than one system call, or somebody else than the process: KSM, swapoff, UFFDIO_MOVE. */
#ifndef DAEMONS_H
#define DAEMONS_H
void ksm_scan(int scans);
void ksm_unmerge(void);
long swap_off_and_on(const char *device);
/* UFFDIO_MOVE of `bytes`, with the VMA [start, end) of the destination registered meanwhile. */
long userfault_move(int slot, unsigned long to, unsigned long from, unsigned long bytes, unsigned long start, unsigned long end);
#endif
