/*
 * record OUT COMMAND [ARGUMENT...]
 *
 * Runs a command and writes what it and its descendants do to their memory, in the order it happened, as the kernel's event text:
 * memory system calls, new tasks, execs, exits and page faults. Needs root and tracefs; the events come from a private instance.
 * What exec makes shows in no event, so every task is stopped at its exec and its layout is written into the same stream:
 * a line "MAP pid <line of /proc/pid/maps>" for each mapping, then "MAPEND pid <start of the heap>". A page fault that found no memory
 * shows by what it led to: "SIGNAL pid address" when the task gets SIGSEGV or SIGBUS, or a system call that answers EFAULT.
 *
 * A signal to the recorder goes on to the command, and what happens until its end is written; a second one, or one after the command's
 * end, ends the recording there. Whatever the recorder ends by, the kernel kills the tasks it follows.
 *
 * Exit status: 0; 1 when something is missing or OUT can't be written; 3 when events were lost.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCES "/sys/kernel/tracing/instances"
/* Shared by all processors, so that large machines need no more memory than small ones; and what each of them has at least. */
#ifndef BUFFER_KB
#define BUFFER_KB (192 * 1024)
#define LEAST_KB (4 * 1024)
#endif

static char instance[128];
static int processors;
/* Of one processor's buffer. */
static long buffer_bytes;
static int events_in = -1, events_out = -1;
/* Why an event could not be copied to OUT. */
static volatile int copy_error;
/* Nothing more will happen. */
static volatile int stopped;
static pid_t command;
static volatile sig_atomic_t signals;

static const char *const calls[] = {"mmap",    "munmap", "mprotect", "pkey_mprotect", "mremap",       "brk",   "madvise", "mlock",
                                    "mlock2",  "munlock", "execve",  "execveat",      "openat",       "open",  "openat2", "dup",
                                    "dup2",    "dup3",   "memfd_create", "close",  "shmget", "shmat", "shmdt", "clone", "clone3", "fork", "vfork", 0};
static const char *const events[] = {"exceptions/page_fault_user", "exceptions/page_fault_kernel", "task/task_newtask",
                                     "sched/sched_process_exec",   "sched/sched_process_exit",     0};

static int set(const char *value, const char *format, ...) {
  char name[128], path[300];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  snprintf(path, sizeof path, "%s/%s", instance, name);
  int file = open(path, O_WRONLY);
  int written = file < 0 ? -1 : (int)write(file, value, strlen(value));
  if (file >= 0) close(file);
  return written;
}

static void must_set(const char *value, const char *name) {
  if (set(value, "%s", name) >= 0) return;
  fprintf(stderr, "record: can't write '%s' to %s of tracefs: %s\n", value, name, strerror(errno));
  rmdir(instance);
  exit(1);
}

/* What the terminal sends, the command gets as well; and what is sent to all of us, our parent hands on once more. */
static void on_signal(int number, siginfo_t *info, void *context) {
  static int handed_on;
  (void)context;
  if (info->si_code == SI_USER && info->si_pid == getppid() && !handed_on++ && signals > 0) return;
  if (signals++ == 0 && command > 0 && info->si_code != SI_KERNEL) kill(command, number);
}

/* Without SA_RESTART, so that waiting ends. */
static void catch_signals(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGINT, &action, 0);
  sigaction(SIGTERM, &action, 0);
  sigaction(SIGHUP, &action, 0);
}

/* What recorders left that were killed. */
static void remove_leftovers(void) {
  DIR *all = opendir(INSTANCES);
  for (struct dirent *one; all && (one = readdir(all));) {
    int pid;
    char path[300];
    if (sscanf(one->d_name, "rmap-lab-%d", &pid) != 1 || kill(pid, 0) == 0) continue;
    snprintf(path, sizeof path, "%s/%s", INSTANCES, one->d_name);
    rmdir(path);
  }
  if (all) closedir(all);
}

static void prepare(void) {
  remove_leftovers();
  snprintf(instance, sizeof instance, "%s/rmap-lab-%d", INSTANCES, getpid());
  if (mkdir(instance, 0700) < 0) {
    fprintf(stderr, "record: can't make a tracefs instance (%s); it takes root and a mounted /sys/kernel/tracing\n", strerror(errno));
    exit(1);
  }
  must_set("0", "tracing_on");
  char kilobytes[32];
  processors = sysconf(_SC_NPROCESSORS_CONF);
  buffer_bytes = 1024L * BUFFER_KB / sysconf(_SC_NPROCESSORS_ONLN);
  if (buffer_bytes < 1024L * LEAST_KB) buffer_bytes = 1024L * LEAST_KB;
  snprintf(kilobytes, sizeof kilobytes, "%ld", buffer_bytes / 1024);
  must_set(kilobytes, "buffer_size_kb");
  must_set("mono", "trace_clock");
  must_set("1", "options/event-fork");
  must_set("0", "options/overwrite");
  for (int i = 0; calls[i]; i++) {
    /* open, dup2 and the like don't exist everywhere: what is not there is not called either. */
    set("1", "events/syscalls/sys_enter_%s/enable", calls[i]);
    set("1", "events/syscalls/sys_exit_%s/enable", calls[i]);
  }
  if (set("ret == -14", "events/raw_syscalls/sys_exit/filter") >= 0) set("1", "events/raw_syscalls/sys_exit/enable");
  /* When a fork has copied an address space that threads go on changing. */
  if (set("write == 1", "events/mmap_lock/mmap_lock_released/filter") >= 0) set("1", "events/mmap_lock/mmap_lock_released/enable");
  for (int i = 0; events[i]; i++) {
    char name[128];
    snprintf(name, sizeof name, "events/%s/enable", events[i]);
    must_set("1", name);
  }
}

static void finish(void) {
  set("0", "tracing_on");
  set("0", "events/enable");
  rmdir(instance);
}

static void fail(const char *what) {
  fprintf(stderr, "record: %s: %s\n", what, strerror(errno));
  close(events_in);
  finish();
  exit(1);
}

/* Field 47 of /proc/pid/stat. The second one is the command in parentheses and may hold anything. */
static unsigned long start_of_heap(pid_t pid) {
  char path[64], text[2048];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
  if (file) fclose(file);
  text[length] = 0;
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 47; field++) at = strchr(at + 1, ' ');
  return at ? strtoul(at + 1, 0, 10) : 0;
}

static void write_marker(int marker, const char *text, int length) {
  if (write(marker, text, length) < 0) perror("record: trace_marker");
}

static void write_layout(pid_t pid, int marker) {
  char path[64], line[4096], out[4200];
  snprintf(path, sizeof path, "/proc/%d/maps", pid);
  FILE *maps = fopen(path, "r");
  while (maps && fgets(line, 900, maps)) {
    write_marker(marker, out, snprintf(out, sizeof out, "MAP %d %s", pid, line));
  }
  if (maps) fclose(maps);
  write_marker(marker, out, snprintf(out, sizeof out, "MAPEND %d 0x%lx\n", pid, start_of_heap(pid)));
}

/* Positive codes are the kernel's, for an address that can't be used; SI_KERNEL has none. */
static void write_signal(pid_t pid, int marker) {
  siginfo_t info;
  char out[64];
  if (ptrace(PTRACE_GETSIGINFO, pid, 0, &info) < 0 || info.si_code <= 0 || info.si_code == SI_KERNEL) return;
  write_marker(marker, out, snprintf(out, sizeof out, "SIGNAL %d 0x%lx\n", pid, (unsigned long)info.si_addr));
}

/* Lets a task that stopped go on: with its signal, or as one that job control stopped, which goes on when SIGCONT comes. */
static void go_on(pid_t pid, int status, int marker) {
  int signal_number = WSTOPSIG(status), event = status >> 16;
  int job_control = signal_number == SIGSTOP || signal_number == SIGTSTP || signal_number == SIGTTIN || signal_number == SIGTTOU;
  if (event == PTRACE_EVENT_EXEC) write_layout(pid, marker);
  if (!event && (signal_number == SIGSEGV || signal_number == SIGBUS)) write_signal(pid, marker);
  if (event == PTRACE_EVENT_STOP && job_control)
    ptrace(PTRACE_LISTEN, pid, 0, 0);
  else
    ptrace(PTRACE_CONT, pid, 0, event ? 0 : signal_number);
}

/* Lets all tasks run, but for a moment at each exec, until none is left or a signal ends it. The command's exit status; -1: it did not end. */
static int follow(void) {
  char path[300];
  snprintf(path, sizeof path, "%s/trace_marker", instance);
  int marker = open(path, O_WRONLY), status, result = -1;
  pid_t pid;
  while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
    if (signals > (command > 0)) break;
    if (pid < 0) continue;
    if (WIFSTOPPED(status))
      go_on(pid, status, marker);
    else if (pid == command) {
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      command = 0;
      signals = 0;
    }
  }
  close(marker);
  return result;
}

/* A number that a processor's buffer tells of itself. */
static long statistic(int cpu, const char *format) {
  char path[300], line[128];
  long n, sum = 0;
  snprintf(path, sizeof path, "%s/per_cpu/cpu%d/stats", instance, cpu);
  FILE *stats = fopen(path, "r");
  while (stats && fgets(line, sizeof line, stats))
    if (sscanf(line, format, &n) == 1) sum += n;
  if (stats) fclose(stats);
  return sum;
}

static long lost_events(void) {
  long lost = 0;
  for (int cpu = 0; cpu < processors; cpu++) lost += statistic(cpu, "overrun: %ld") + statistic(cpu, "dropped events: %ld");
  return lost;
}

/* Bytes that wait in the fullest of the processors' buffers. */
static long fullest(void) {
  long most = 0;
  for (int cpu = 0; cpu < processors; cpu++) {
    long bytes = statistic(cpu, "bytes: %ld");
    if (bytes > most) most = bytes;
  }
  return most;
}

/* Moves about so many bytes of text from the buffers to OUT, the oldest events first. */
static void copy_events(long most) {
  char text[1 << 13];
  ssize_t n = 0;
  while (most > 0 && !copy_error && (n = read(events_in, text, sizeof text)) > 0) {
    most -= n;
    for (ssize_t done = 0, now; done < n && !copy_error; done += now)
      if ((now = write(events_out, text + done, n - done)) < 0) copy_error = errno;
  }
  if (n < 0 && errno != EAGAIN) copy_error = errno;
}

/*
 * Makes room while tasks run: whenever a buffer is half full, and not more than a part of it. Were events copied as soon as they happen,
 * those of two processors could come out in the wrong order.
 */
static void *make_room(void *unused) {
  while (!stopped) {
    if (fullest() > buffer_bytes / 2)
      copy_events(buffer_bytes / 2);
    else
      usleep(20000);
  }
  return unused;
}

/* Follows the command and takes what happens to OUT. The command's exit status, as follow says it. */
static int follow_and_copy(void) {
  pthread_t copier;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int alone = pthread_create(&copier, 0, make_room, 0);
  pthread_sigmask(SIG_SETMASK, &before, 0);
  int result = follow();
  set("0", "tracing_on");
  stopped = 1;
  if (!alone) pthread_join(copier, 0);
  copy_events(LONG_MAX);
  return result;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: record OUT COMMAND [ARGUMENT...]\n");
    return 1;
  }
  char text[300];
  catch_signals();
  /* Nobody is left to record for. */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prepare();
  snprintf(text, sizeof text, "%s/trace_pipe", instance);
  events_in = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (events_in < 0) fail("trace_pipe of tracefs");
  events_out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (events_out < 0) fail(argv[1]);
  int go[2];
  if (pipe2(go, O_CLOEXEC) < 0) fail("pipe");
  command = fork();
  if (command < 0) fail("fork");
  if (command == 0) {
    close(go[1]);
    /* Until it is followed; without a recorder there is nothing to run for. */
    char byte;
    if (read(go[0], &byte, 1) != 1) _exit(127);
    execvp(argv[2], argv + 2);
    fprintf(stderr, "record: %s: %s\n", argv[2], strerror(errno));
    _exit(127);
  }
  if (ptrace(PTRACE_SEIZE, command, 0,
             PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
    fail("ptrace");
  snprintf(text, sizeof text, "%d", command);
  must_set(text, "set_event_pid");
  must_set("1", "tracing_on");
  if (write(go[1], "", 1) != 1) fail("pipe");
  int result = follow_and_copy();
  long lost = lost_events();
  close(events_in);
  if (close(events_out) < 0 && !copy_error) copy_error = errno;
  finish();
  if (result < 0)
    fprintf(stderr, "record: ended by a signal before the command\n");
  else
    fprintf(stderr, "record: the command ended with status %d\n", result);
  if (copy_error) fprintf(stderr, "record: can't keep the events in %s: %s; TMPDIR says where\n", argv[1], strerror(copy_error));
  if (lost) fprintf(stderr, "record: %ld events were lost, as they came faster than they could be written to %s\n", lost, argv[1]);
  return copy_error ? 1 : lost ? 3 : 0;
}
