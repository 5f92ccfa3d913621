/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn - what an implementation of a function looks like, and what they share.
 *
 * An implementation gets arguments of exactly the kinds its overload declares, none of them odd
 * (except COALESCE). Elements of containers are not checked: an implementation looks before it
 * reads. Results live in act->memory; when that is exhausted the result is cel_out_of_memory().
 */
#ifndef MANDATE_ENGINE_CEL_FN_H
#define MANDATE_ENGINE_CEL_FN_H

#include "engine/cel/eval.h"
#include "engine/cel/fn_list.h"
#include "engine/cel/function.h"
#include "engine/cel/value_int.h"

typedef cel_value (*cel_fn)(cel_activation *act, const cel_value *args, uint32_t count);

typedef enum cel_fn_flag {
    CEL_FN_MOVES = 1,   /* understands moving times; otherwise they are settled before the call */
    CEL_FN_LENIENT = 2, /* wants odd arguments too */
    CEL_FN_HORIZON = 8, /* gives an int; act->prepared may be the cel_horizon it is looked at through */
    CEL_FN_SIZED = 16,  /* in a step only: charged by the size of its arguments */
    CEL_FN_IMPURE = 4   /* asks the host or the zone provider: never folded */
} cel_fn_flag;

typedef struct cel_fn_row {
    cel_fn fn;
    uint32_t flags;
} cel_fn_row;

/* cel_fn_add_int(), ...: one prototype each, in fn_*.c. */
#define X(id, function, flags) cel_value cel_fn_##function(cel_activation *act, const cel_value *args, uint32_t count);
CEL_FN_LIST(X)
#undef X

/* Implementation of each overload; fn NULL for those that are steps of their own. */
extern const cel_fn_row cel_fn_rows[CEL_FN_COUNT];

enum { CEL_FN_ANY = 255 }; /* a parameter of any kind, where a kind is wanted */
/* The kind of value a parameter takes. */
uint8_t cel_fn_wants(const cel_type *parameter);
/* True when the arguments are of the kinds the overload declares. */
bool cel_fn_accepts(const cel_overload *overload, const cel_value *args);

/* --- shared helpers (fn_common.c) --- */
cel_value cel_no_such_overload(cel_activation *act);
/* The value strict functions give when an argument is odd. As in the reference implementation the first odd one from
 * the left decides: an error, or an unknown (with which the other unknowns are merged). */
cel_value cel_strict(cel_activation *act, const cel_value *args, uint32_t count);
cel_value cel_new_optional(cel_activation *act, cel_value v);
/* A string in the arena, from a buffer that is then released. */
cel_value cel_take_text(cel_activation *act, buf *b);
/* `key` as an error message shows it. */
cel_value cel_no_such_key(cel_activation *act, cel_value key);

/* --- access (access.c): strict, operands not odd --- */
cel_value cel_index(cel_activation *act, cel_value x, cel_value key);
cel_value cel_opt_index(cel_activation *act, cel_value x, cel_value key);

#endif
