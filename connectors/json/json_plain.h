/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_plain - the JSON that programs write, read in one pass: for the texts of signed tokens, where a general parser costs as much
 * as half a signature, and the bodies of checks, where it costs more than the check.
 *
 * Takes what leaves no doubt and gives exactly what json_value_parse gives for it. Whatever is rare or wrong (\u escapes, numbers
 * with fractions or of more than 18 digits, very many members, depth, duplicates, any mistake) it does not judge: false, and
 * the caller asks the general parser, which has the words for it.
 */
#ifndef MANDATE_CONNECTORS_JSON_JSON_PLAIN_H
#define MANDATE_CONNECTORS_JSON_JSON_PLAIN_H

#include "engine/cel/value.h"

/* All memory of the result is in `a`; on false some of it may be used up. */
MANDATE_CHECK bool json_plain_parse(cel_value *out, arena *a, mandate_slice text);

/* The same without a copy: strings stand in `text`, and one with an escape is left to the general parser. */
MANDATE_CHECK bool json_plain_parse_borrowed(cel_value *out, arena *a, mandate_slice text);

/* The general parser: of every text, with the words for what is wrong (json_value.c). Not empty. */
MANDATE_CHECK mandate_status json_general_parse(cel_value *out, arena *a, mandate_slice text, mandate_error *err);

#endif
