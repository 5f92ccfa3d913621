/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error_slot - room for an error on the way of every request, of which only the head is cleared: no error, an empty text.
 *
 * With -ftrivial-auto-var-init=zero a plain `mandate_error err;` clears a kilobyte each time, for an error that seldom comes.
 */
#ifndef MANDATE_ENGINE_BASE_ERROR_SLOT_H
#define MANDATE_ENGINE_BASE_ERROR_SLOT_H

#include "mandate/mandate.h"

static inline void error_slot_init(mandate_error *err)
{
    err->status = MANDATE_OK;
    err->advice = (mandate_advice)0;
    err->line = err->column = 0;
    err->text[0] = '\0';
}

/* A declaration: ERROR_SLOT(err); */
#define ERROR_SLOT(name)                               \
    __attribute__((uninitialized)) mandate_error name; \
    error_slot_init(&name)

#endif
