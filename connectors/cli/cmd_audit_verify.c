/* SPDX-License-Identifier: Apache-2.0 */
/* audit verify - an exported log recomputed from its entries: over include/mandate/audit.h, as any other program could. */
#include <inttypes.h>
#include <time.h>

#include "connectors/cli/audit.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "mandate/audit.h"

enum { KEPT_MAX = 64, KEPT_BYTES = 64 << 10 };

static void show(const arg_common *common, const mandate_audit_report *r, mandate_status status, const mandate_error *err,
                 double seconds)
{
    buf b;
    buf_init(&b);
    if (common->json) {
        buf_printf(&b, "{\"verified\":%s,\"origin\":", status == MANDATE_OK ? "true" : "false");
        buf_put_json_string(&b, mandate_slice_str(r->checkpoint.origin));
        buf_printf(&b, ",\"size\":%" PRIu64 ",\"checked\":%" PRIu64 ",\"first_wrong\":", r->checkpoint.size, r->checked);
        if (r->first_wrong == UINT64_MAX)
            buf_put_str(&b, "null");
        else
            buf_printf(&b, "%" PRIu64, r->first_wrong);
        buf_put_str(&b, ",\"error\":");
        if (status == MANDATE_OK)
            buf_put_str(&b, "null");
        else
            buf_put_json_string(&b, mandate_slice_str(err->text));
        buf_put_str(&b, "}");
        out_line(&b);
    } else if (status == MANDATE_OK) {
        buf_printf(&b, "%s: %" PRIu64 " entries, all as they were signed", r->checkpoint.origin, r->checkpoint.size);
        if (seconds > 0.001)
            buf_printf(&b, " (%.0f entries a second)", (double)r->checked / seconds);
        out_line(&b);
    } else {
        out_problem("%s", err->text);
    }
    buf_deinit(&b);
}

int cmd_audit_verify(int argc, char **argv)
{
    arg_common common;
    const char *folder[1], *given = NULL;
    arg_list kept = {.count = 0};
    const arg_option options[] = {{.name = "--key", .value = &given}, {.name = "--checkpoint", .list = &kept}};
    mandate_audit_folder what = MANDATE_AUDIT_FOLDER_INIT;
    mandate_audit_report report = {.first_wrong = UINT64_MAX};
    mandate_slice key, older[KEPT_MAX];
    mandate_error err;
    buf key_text, notes[KEPT_MAX];
    struct timespec began, ended;
    size_t count = 0;
    int code = CLI_OK;
    if (!args_parse(argc, argv, &common, options, 2, folder, 1, 1))
        return CLI_REFUSED;
    if (!given) {
        out_problem("audit verify needs --key: the log's verifier key, as you were given it (not from this folder)");
        return CLI_REFUSED;
    }
    if (!audit_key(&key_text, given))
        return CLI_REFUSED;
    for (; count < kept.count && count < KEPT_MAX && code == CLI_OK; count++) {
        buf_init(&notes[count]);
        if (input_read(&notes[count], kept.items[count], KEPT_BYTES, &err)) {
            out_problem("%s", err.text);
            code = CLI_REFUSED;
        }
        older[count] = buf_slice(&notes[count]);
    }
    key = buf_slice(&key_text);
    what.path = folder[0];
    what.keys = &key;
    what.key_count = 1;
    what.older = older;
    what.older_count = count;
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (code == CLI_OK) {
        mandate_status status = mandate_audit_verify_folder(&report, &what, &err);
        clock_gettime(CLOCK_MONOTONIC, &ended);
        show(&common, &report, status, &err,
             (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) * 1e-9);
        code = status == MANDATE_OK ? CLI_OK : status == MANDATE_NOMEM ? CLI_INTERNAL : CLI_DENIED;
    }
    for (size_t i = 0; i < count; i++)
        buf_deinit(&notes[i]);
    buf_deinit(&key_text);
    return code;
}
