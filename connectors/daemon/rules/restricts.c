/* SPDX-License-Identifier: Apache-2.0 */
/* restricts - see restricts.h. */
#include "connectors/daemon/rules/restricts.h"

#include <stdlib.h>

static int by_path(const void *x, const void *y) { return disclosure_cmp(x, y); }

mandate_status restricts_load(const claims_disclosure **out, const config_list *texts, arena *a, mandate_error *err)
{
    claims_disclosure *rules = ARENA_ARRAY(a, claims_disclosure, texts->count + 1);
    mandate_status status = rules ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");

    for (uint32_t i = 0; status == MANDATE_OK && i < texts->count; i++)
        status = disclosure_from_text(&rules[i], a, mandate_slice_str(texts->items[i]), err);
    if (status == MANDATE_OK) {
        qsort(rules, texts->count, sizeof(*rules), by_path);
        status = disclosure_check(&(claims){.disclosures = rules, .disclosure_count = texts->count}, false, err);
    }
    *out = rules;
    return status == MANDATE_OK ? status : mandate_error_prefix(err, status, "disclosure.restrict");
}
