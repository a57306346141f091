#ifndef VARDE_CZEROMQ_SHIM_H
#define VARDE_CZEROMQ_SHIM_H

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

/* The header of libzmq 4.3.4 shows this option only to builds with the draft API; the library itself knows it. */
static const int varde_zmq_zap_enforce_domain = 93;

/* A counter that wakes zmq_poll, or -1 with errno set. Reading and writing never block. */
static inline int varde_wake_open(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline void varde_wake_signal(int descriptor) {
    uint64_t one = 1;
    /* The only failure possible is a full counter, and then the reader is woken already. */
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

static inline void varde_wake_clear(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

/* Names the calling thread for debuggers and keeps the process's signals away from it: other threads take those. */
static inline void varde_thread_prepare(const char *name) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0);
}

#endif
