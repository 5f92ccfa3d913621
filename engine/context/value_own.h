/* SPDX-License-Identifier: Apache-2.0 */
/* value_own - data values (no objects inside, no unknowns, no errors) that own their memory in one heap block. */
#ifndef MANDATE_ENGINE_CONTEXT_VALUE_OWN_H
#define MANDATE_ENGINE_CONTEXT_VALUE_OWN_H

#include "engine/cel/value.h"

/* Null, scalars, text, bytes, times, addresses, and lists and maps of them: what a cell may hold and own. */
bool value_is_data(cel_value v);
/* Deep copy; false when out of memory. Scalars and object references are copied as they are. */
MANDATE_CHECK bool value_own(cel_value *out, cel_value v);
/* Frees what value_own made and leaves an unknown. */
void value_disown(cel_value *v);

#endif
