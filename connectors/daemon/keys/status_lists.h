/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_lists - the status lists of all mandates: made from the view, signed, kept for a moment. A thread of their own.
 *
 *   mandate of handle h: list h / STATUS_LIST_ENTRIES, `uri` = issuer/status/LIST, entry h % STATUS_LIST_ENTRIES
 *
 * Invariants
 *  - A list that is given out was made STATUS_LIST_LAG_MS ago at most, or nothing has changed since it was made: neither a step was
 *    committed nor did one of its mandates expire. It says when it stops to count (`exp`), and is never given out after that.
 *  - Fail closed: when the view is stale, the audit log blocked or the signer away, there is no list (UNAVAILABLE).
 *  - A list has always all its entries, so its length says nothing; entries of nobody stand as ended.
 *  - However many ask, a list is made at most once in STATUS_LIST_LAG_MS, and never on a thread that anybody else waits for.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_STATUS_LISTS_H
#define MANDATE_CONNECTORS_DAEMON_STATUS_LISTS_H

#include "connectors/daemon/record/checkpointer.h"
#include "connectors/daemon/keys/signer.h"
#include "connectors/daemon/view/view.h"
#include "connectors/token/status_list.h"

enum {
    STATUS_LIST_ENTRIES = 1 << 18, /* so that the worst of lists, signed, is a token that a signer signs (LIMIT_TOKEN) */
    STATUS_LISTS_MAX = 512,        /* all handles that a view has */
    STATUS_LIST_LAG_MS = 250,
    STATUS_LIST_LIFE_S = 15, /* exp - iat */
    STATUS_LISTS_WAITING_MAX = 256
};

typedef struct status_lists status_lists;

typedef struct status_lists_options {
    view *view;
    const signer *signer;
    checkpointer *audit; /* NULL: nothing is signed, so nothing blocks */
    const char *issuer;
    int64_t staleness_max_us; /* of the view; 0: not bounded */
} status_lists_options;

/* Where a mandate's status stands. The uri is in `a`; empty when memory is out or the issuer's name is too long for one. */
status_place status_place_of(arena *a, mandate_slice issuer, uint32_t handle);

/* Starts the thread. What it is given outlives it. */
MANDATE_CHECK mandate_status status_lists_create(status_lists **out, const status_lists_options *options,
                                                 mandate_error *err);
/* Answers what waits, then ends. NULL: nothing. */
void status_lists_destroy(status_lists *s);
/* SERVICE_STATUS_LIST; `done` on our thread. False: too many wait, or it is ending. */
MANDATE_CHECK bool status_lists_ask(status_lists *s, service_request *request);

/* The list as a signed token, appended: what the thread answers with. Our thread, or the only one there is. NOT_FOUND: there is no such list. */
MANDATE_CHECK mandate_status status_lists_put(status_lists *s, buf *out, uint32_t list, mandate_error *err);

#endif
