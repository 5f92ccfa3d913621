/* SPDX-License-Identifier: Apache-2.0 */
/*
 * public_int - what is behind the handles of mandate/cel.h, for the public_*.c (those three).
 *
 * A public value is a cel_value under another name; both are 16 bytes and travel in two registers.
 */
#ifndef MANDATE_ENGINE_CEL_PUBLIC_INT_H
#define MANDATE_ENGINE_CEL_PUBLIC_INT_H

#include "engine/cel/env.h"
#include "engine/cel/eval.h"
#include "mandate/cel.h"

_Static_assert(sizeof(mandate_cel_value) == sizeof(cel_value), "one is the other");

struct mandate_cel_memory {
    arena a;
};

struct mandate_cel_env {
    cel_env *env;
};

struct mandate_cel_issues {
    cel_issues list;
    buf source, text;
};

struct mandate_cel_program {
    cel_program *program;
    buf type, text;
    uint64_t cost;
};

static inline cel_value cel_inside(mandate_cel_value v)
{
    cel_value out;
    memcpy(&out, &v, sizeof out);
    return out;
}

static inline mandate_cel_value cel_outside(cel_value v)
{
    mandate_cel_value out;
    memcpy(&out, &v, sizeof out);
    return out;
}

#endif
