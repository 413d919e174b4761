/* process.h - this program executed again, as a supervised process.
 *
 * Plugins are code of strangers; what runs them is a process of its own: executed, not forked,
 * since a forked copy of a process that has used OpenMP hangs; without input and other descriptors
 * than its channel; with limits on memory, processor time and the size of files; what it prints is
 * kept aside in memory.
 *
 * Between it and this program stands its supervisor, a small process that does nothing but wait. When
 * the process ends, or this program does, or asks for it, the supervisor kills the process and all that
 * came of it, daemons too: the system gives them to the supervisor when their parents end. Then it ends
 * as the process did. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED                                                                                  \
    0 /* 1: timings are not meaningful, and the program takes terabytes of addresses */
#endif

enum { PROCESS_CHANNEL = 3 }; /* the descriptor that a child reports on */

typedef struct process_options {
    const char *program;         /* NULL: this program itself */
    const char *const *words;    /* its arguments, its own name first, NULL last */
    const char *const *settings; /* "NAME=VALUE" ..., NULL last, over the environment; or NULL */
    int channel;                 /* becomes PROCESS_CHANNEL there; remains the caller's here */
    int64_t memory_mib;          /* address space; a sanitized program has its own limit */
    int64_t cpu_seconds;         /* then SIGXCPU */
} process_options;

typedef struct process {
    pid_t pid;  /* of the supervisor; also the number of the group of both */
    int handle; /* for poll(): readable once all has ended */
    int output; /* what it printed, in memory, the first few MiB */
} process;

/* 0, or the errno. From the thread that lives as long as the program does: when it ends, so do the
 * processes it has started. */
int worker_process_start(process *p, const process_options *o);

/* Has the process and its offspring killed, soon. */
void worker_process_kill(const process *p);
/* Seconds for which the supervisor may take to kill all; then it is killed itself: the process may have
 * stopped it with ptrace(). */
enum { PROCESS_PATIENCE = 10 };
/* The same, and waits for it; the wait status of the process, and in *peak_mib (may be NULL)
 * the most memory that it had. What it printed can still be read. */
int worker_process_end(process *p, double *peak_mib);
void worker_process_clear(process *p); /* of one that has ended, or was not started */

/* The end of what it printed, at most size - 1 bytes, escaped, without empty lines behind. */
void worker_process_last_lines(const process *p, char *out, size_t size);

/* Seconds for which a thread of it, the one that did most, was ready to run while others had the
 * processors; 0 where the system does not count them. */
double worker_process_waited(const process *p);

/* MiB that a row of /proc/self/status says: "VmPeak:", the most addresses that this process had,
 * "VmHWM:", the most memory. Unlike ru_maxrss it leaves out what the parent had when it forked. */
double worker_process_memory(const char *row);
