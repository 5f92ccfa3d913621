/* SPDX-License-Identifier: Apache-2.0 */
/* backup - see the header. A copy that failed half way is left under its name with .failed, and says so by lacking `checkpoint`. */
#include "connectors/daemon/record/backup.h"

#include "connectors/audit/folder.h"
#include "connectors/daemon/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { BACKUP_NAME_MAX = 64, BACKUP_PATH_MAX = 4096 };

/* A name cannot lead out of the folder. */
static bool name_valid(mandate_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              (c == '.' && i > 0)))
            return false;
    }
    return name.len > 0 && name.len <= BACKUP_NAME_MAX;
}

static mandate_status make_folders(char path[BACKUP_PATH_MAX], const config *c, mandate_slice name, mandate_error *err)
{
    int n = c->backup.folder ? snprintf(path, BACKUP_PATH_MAX, "%s", c->backup.folder)
                             : snprintf(path, BACKUP_PATH_MAX, "%s.backups", c->data_dir);
    if (n >= BACKUP_PATH_MAX - BACKUP_NAME_MAX - 16)
        return mandate_error_set(err, MANDATE_LIMIT, "backup.folder is too long a path");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot make %s: %s", path, strerror(errno));
    snprintf(path + n, (size_t)(BACKUP_PATH_MAX - n), "/%.*s", MANDATE_SLICE_ARG(name));
    if (mkdir(path, 0700) == 0)
        return MANDATE_OK;
    return errno == EEXIST
               ? mandate_error_set(err, MANDATE_CONFLICT, "there is a backup %.*s already", MANDATE_SLICE_ARG(name))
               : mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot make %s: %s", path, strerror(errno));
}

static mandate_status copy(const char *path, store *st, checkpointer *audit, uint64_t *seq, mandate_error *err)
{
    char data[BACKUP_PATH_MAX + 8];
    buf note;
    buf_init(&note);
    if (audit)
        checkpointer_put_note(audit, &note); /* before: the copy has everything that it covers */
    snprintf(data, sizeof(data), "%s/data", path);
    mandate_status status = store_checkpoint(st, data, seq, err);
    if (!status)
        status = folder_write(path, "checkpoint", buf_slice(&note), err);
    buf_deinit(&note);
    return status;
}

mandate_status backup_make(buf *out, const config *c, store *st, checkpointer *audit, mandate_slice name, mandate_error *err)
{
    char path[BACKUP_PATH_MAX], failed[BACKUP_PATH_MAX + 8];
    uint64_t seq = 0, entries = store_audit_size(st);
    if (!name_valid(name))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "a backup is called by letters, digits, \"-\", \"_\" and \".\" (not first), at most %d",
                                 BACKUP_NAME_MAX);
    mandate_status status = make_folders(path, c, name, err);
    if (status)
        return status;
    status = copy(path, st, audit, &seq, err);
    if (status) {
        snprintf(failed, sizeof(failed), "%s.failed", path);
        if (rename(path, failed) != 0)
            log_write(LOG_WARN, "backup", "%s is not whole and could not be renamed: %s", path, strerror(errno));
        /* Of the copy, not of the database. */
        err->status = status == MANDATE_NOMEM ? MANDATE_NOMEM : MANDATE_UNAVAILABLE;
        return err->status;
    }
    log_write(LOG_INFO, "backup", "made %s: step %llu, %llu audit entries", path, (unsigned long long)seq,
              (unsigned long long)entries);
    buf_put_str(out, "{\"backup\":");
    buf_put_json_string(out, mandate_slice_str(path));
    buf_printf(out, ",\"seq\":%llu,\"entries\":%llu}\n", (unsigned long long)seq, (unsigned long long)entries);
    return MANDATE_OK;
}
