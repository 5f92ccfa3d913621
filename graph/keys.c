/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - how the store's keys are laid out. One function per kind, used for writing and for looking.
 */
#include "graph/store_int.h"

void key_number(buf *key, uint64_t number)
{
    buf_reset(key);
    wire_put_key_u64(key, number);
}

void key_outbox(buf *key, outbox_key at)
{
    key_number(key, at.seq);
    wire_put_key_u64(key, at.index);
}

static void key_name_number(buf *key, mandate_slice name, uint64_t number)
{
    buf_reset(key);
    buf_put_slice(key, name);
    buf_put_char(key, '\0');
    wire_put_key_u64(key, number);
}

void key_transition(buf *key, mandate_slice mandate, uint64_t version) { key_name_number(key, mandate, version); }

void key_offset(buf *key, mandate_slice topic, int32_t partition)
{
    key_name_number(key, topic, (uint64_t)(int64_t)partition);
}

void key_mandate(buf *key, mandate_slice mandate, char part)
{
    buf_reset(key);
    buf_put_slice(key, mandate);
    buf_put_char(key, '\0');
    buf_put_char(key, part);
}
