/*
 * Shared by the worker, which has no C library, and the driver.
 *
 * One memfd holds SLOTS mailboxes. Every worker maps it MAP_SHARED at the same address, so an operation is handed over without a
 * pipe, without a copy and without touching private memory of the worker.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#define SLOT_BASE 0x200000000000UL
#define SLOT_SIZE 65536UL
#define SLOTS 256
/* A page that nobody touches, see drain() in worker.c. */
#define UNUSED_OFFSET (SLOTS * SLOT_SIZE)
#define REGION_SIZE (UNUSED_OFFSET + 4096UL)

/* Programs live in here; nothing of the worker itself does. */
#define ARENA_LO 0x100000000000UL
#define ARENA_HI 0x110000000000UL

/* What every worker inherits. */
#define MAILBOX_FD 3
#define FILE_FD 4 /* memfd of FILE_PAGES pages, the one file that programs map */
#define WORKER_FD 5
#define FILE_PAGES 4096
/* Those at its beginning and its end whose contents start anew with each program. */
#define FRESH_PAGES 64
#define FRESH_TAIL 2

enum request {
  DO_SYSCALL = 1,
  DO_READ,  /* one load at a[0] */
  DO_WRITE, /* one store of the word a[1] at a[0] */
  DO_FORK,  /* clone with the flags a[0]; the child serves the slot `child` */
  DO_EXEC,  /* the worker's own image again, in the same slot */
};

struct slot {
  unsigned cmd;  /* futex word: the driver increments it to post a request */
  unsigned done; /* futex word: the worker copies cmd here when the request is complete */
  unsigned request, child;
  long nr;
  unsigned long a[6];
  long ret; /* as system calls answer: a negative errno is a failure */
};

/* Argument structs go here; the worker's stack grows down from the end of the slot. */
#define SCRATCH 4096UL

#endif
