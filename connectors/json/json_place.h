/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_place - where a member stands in a JSON text, for problems that are found after it was read.
 *
 * The text has been parsed before (json_value.h): what is no JSON gives the beginning of the text, never a read outside it.
 */
#ifndef MANDATE_CONNECTORS_JSON_JSON_PLACE_H
#define MANDATE_CONNECTORS_JSON_JSON_PLACE_H

#include "mandate/mandate.h"

/* Byte extent of the value at a path such as "until", "scope.actions[2]", "params.x"; of the deepest part that is there. */
void json_place(mandate_slice text, mandate_slice path, size_t *begin, size_t *end);
/* In the string literal that begins at `begin`: where byte `offset` of what it says is written. */
size_t json_place_in_string(mandate_slice text, size_t begin, size_t offset);

#endif
