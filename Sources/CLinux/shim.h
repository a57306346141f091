#ifndef VARDE_CLINUX_SHIM_H
#define VARDE_CLINUX_SHIM_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/timex.h>

/* Swift cannot call variadic functions. */
static inline int varde_end_with_parent(void) {
    return prctl(PR_SET_PDEATHSIG, SIGTERM);
}

#endif
