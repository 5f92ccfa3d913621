/* SPDX-License-Identifier: Apache-2.0 */
/* prompt - see the header. glibc 2.36 has no name for the call, and the kernel's header does not go with <sched.h>. */
#include "connectors/http/prompt.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_NS = 100 * 1000 };

/* struct sched_attr as it was first (SCHED_ATTR_SIZE_VER0), sched_setattr(2). */
typedef struct slice_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
} slice_attributes;
_Static_assert(sizeof(slice_attributes) == 48, "as the kernel has it");

void http_be_prompt(void)
{
    slice_attributes a = {.size = sizeof(a)};

    /* Everything else as it is. */
    if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) != 0 || a.policy != SCHED_OTHER)
        return;
    a.runtime = SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &a, 0);
}
