/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages - a list of the API, page after page: a table for people, with --json its objects, one a line.
 *
 * A page may be short, or empty, and not the last: only a missing `next` ends a list.
 */
#ifndef MANDATE_CONNECTORS_CLI_PAGES_H
#define MANDATE_CONNECTORS_CLI_PAGES_H

#include "connectors/cli/client.h"
#include "connectors/cli/out.h"

typedef struct page_list {
    const char *path;   /* with its query, if it has one */
    const char *member; /* of the answer: the rows */
    const char *const *heads;
    size_t columns;
    void (*add)(out_table *t, cel_value row);
} page_list;

/* --limit as it was given (NULL: all). False: said what is wrong with it. */
bool pages_limit(int64_t *out, const char *text);
/* Opens a client, prints at most `limit` rows and closes it. */
exit_code pages_print(const page_list *l, const arg_common *common, int64_t limit);

#endif
