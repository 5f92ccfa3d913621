/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support - directories and numbers for the tests of graph/.
 */
#include "tests/graph/support.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void support_directory(char path[256])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, 256, "%s/mandate-graph-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

void support_remove(const char *path)
{
    char beside[300];
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(beside, sizeof(beside), "%s.anchor", path);
    unlink(beside);
}

void support_file_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

bool support_exists(const char *path) { return access(path, F_OK) == 0; }

bool support_newest_log(char out[512], const char *directory)
{
    bool found = false;
    char best[256] = "";
    DIR *dir = opendir(directory);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        char path[768];
        size_t len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 4, ".log") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
        if (stat(path, &st) != 0 || st.st_size == 0 || strcmp(e->d_name, best) < 0)
            continue;
        snprintf(best, sizeof(best), "%s", e->d_name);
        snprintf(out, 512, "%.250s/%.250s", directory, best);
        found = true;
    }
    closedir(dir);
    return found;
}

uint64_t support_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t support_below(uint64_t *state, uint64_t bound) { return support_next(state) % bound; }
