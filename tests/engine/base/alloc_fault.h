/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc_fault - fails the Nth allocation of a test program and, on request, all after it.
 *
 * Include from exactly one file of a program linked with --wrap=malloc, calloc and realloc.
 */
#ifndef MANDATE_TESTS_ENGINE_BASE_ALLOC_FAULT_H
#define MANDATE_TESTS_ENGINE_BASE_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum { ALLOC_FAULT_OFF = -1 };

static struct {
    long countdown; /* allocations that still succeed; ALLOC_FAULT_OFF lets all succeed */
    bool sticky;
    bool fired; /* since alloc_fault_set, as is `seen` */
    long seen;
} alloc_fault = {ALLOC_FAULT_OFF, false, false, 0};

static inline void alloc_fault_set(long countdown, bool sticky)
{
    alloc_fault.countdown = countdown;
    alloc_fault.sticky = sticky;
    alloc_fault.fired = false;
    alloc_fault.seen = 0;
}

static inline bool alloc_fault_now(void)
{
    alloc_fault.seen++;
    if (alloc_fault.countdown == ALLOC_FAULT_OFF)
        return false;
    if (alloc_fault.countdown > 0) {
        alloc_fault.countdown--;
        return false;
    }
    alloc_fault.fired = true;
    if (!alloc_fault.sticky)
        alloc_fault.countdown = ALLOC_FAULT_OFF;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) { return alloc_fault_now() ? NULL : __real_malloc(size); }

void *__wrap_calloc(size_t count, size_t size) { return alloc_fault_now() ? NULL : __real_calloc(count, size); }

void *__wrap_realloc(void *old, size_t size) { return alloc_fault_now() ? NULL : __real_realloc(old, size); }

#endif
