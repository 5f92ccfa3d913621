/* SPDX-License-Identifier: Apache-2.0 */
/*
 * salesforce - which fields a Salesforce change header lists: as names ("Status", "Name.FirstName"), or as bitmaps over
 * the fields in schema order ("0x104", and "4-0x6" for the fields inside field 4), least significant bit first.
 */
#ifndef MANDATE_CONNECTORS_ENVELOPE_SALESFORCE_H
#define MANDATE_CONNECTORS_ENVELOPE_SALESFORCE_H

#include "connectors/envelope/envelope_int.h"

/* A field of the change event: its name, its place among all fields; for a part of a compound field the compound too. */
typedef struct sf_field {
    mandate_slice name;
    uint32_t index;
    const struct sf_field *outer;
} sf_field;

/* `lists` as in the header: null, or a list of texts. INVALID when it is neither, or an entry is malformed or names a
 * place beyond the fields of `data`. */
MANDATE_CHECK mandate_status sf_check_list(cel_value list, const char *name, cel_value data, mandate_error *err);
/* Whether a checked list has the field, or (for a compound one) any part of it. */
bool sf_lists(cel_value list, const sf_field *field);

#endif
