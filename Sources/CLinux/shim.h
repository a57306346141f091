#ifndef VARDE_CLINUX_SHIM_H
#define VARDE_CLINUX_SHIM_H

#include <sys/timex.h>

#endif
