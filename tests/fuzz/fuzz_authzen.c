/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_authzen - any bytes as the body of a check: what the quick way takes the general way takes, too, as the same question. */
#include "fuzz.h"
#include "tests/connectors/http/authzen_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    bool taken;
    arena_init(&a, 0);
    FUZZ_CHECK(authzen_both(&a, mandate_slice_of((const char *)data, size), &taken) == NULL);
    arena_deinit(&a);
    return 0;
}
