/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - asks for a line of memory that will be read or written soon.
 *
 * The empty statement of assembler is what makes it happen: to gcc a prefetch has no effect, so a function that does nothing else is
 * pure, and calls of it whose (absent) result nobody uses are removed, quietly and all of them.
 */
#ifndef MANDATE_ENGINE_BASE_AHEAD_H
#define MANDATE_ENGINE_BASE_AHEAD_H

#include "mandate/mandate.h"

static inline void ahead_line(const void *at)
{
    __builtin_prefetch(at);
    __asm__ volatile("");
}

/* Something of at most a line: one line or two. Addresses are numbers here: what is asked for may be nothing, at NULL. */
static inline void ahead_small(const void *from, size_t bytes)
{
    ahead_line(from);
    ahead_line((const void *)((uintptr_t)from + bytes - 1));
}

/* The same up to four lines, without a branch. */
static inline void ahead_few(const void *from, size_t bytes)
{
    enum { LINE = 64 };
    uintptr_t at = (uintptr_t)from, last = at + bytes - 1;
    ahead_line(from);
    ahead_line((const void *)(at + LINE < last ? at + LINE : last));
    ahead_line((const void *)(at + 2 * LINE < last ? at + 2 * LINE : last));
    ahead_line((const void *)last);
}

/* Every line of it. */
static inline void ahead_bytes(const void *from, size_t bytes)
{
    enum { LINE = 64 };
    const char *end = (const char *)from + bytes;
    for (const char *at = (const char *)((uintptr_t)from & ~(uintptr_t)(LINE - 1)); at < end; at += LINE)
        ahead_line(at);
}

#endif
