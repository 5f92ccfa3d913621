/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_direct - a record from bytes to changes, directly and with a document: nothing may differ. The first byte chooses the
 * connector, the rest is the value.
 */
#include "fuzz.h"
#include "tests/connectors/mapping/both_ways.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static both_ways kinds[BOTH_WAYS_KINDS];
    if (size == 0)
        return 0;
    both_ways *b = &kinds[data[0] % BOTH_WAYS_KINDS];
    if (!b->m)
        both_ways_open(b, data[0] % BOTH_WAYS_KINDS);
    record r = {.topic = mandate_slice_str("t"), .timestamp_us = 1700000000000000, .key = mandate_slice_str("{\"id\":5}")};
    r.value = mandate_slice_of((const char *)data + 1, size - 1);
    FUZZ_CHECK(both_ways_differ(b, &r) == NULL);
    return 0;
}
