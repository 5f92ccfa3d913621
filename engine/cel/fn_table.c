/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_table - the implementation of each overload, by id; made from fn_list.h.
 */
#include "engine/cel/fn.h"

const cel_fn_row cel_fn_rows[CEL_FN_COUNT] = {
#define X(id, function, flag_bits) [CEL_FN_##id] = {cel_fn_##function, flag_bits},
    CEL_FN_LIST(X)
#undef X
};
