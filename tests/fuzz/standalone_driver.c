/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standalone_driver - replays a corpus folder without libFuzzer: each file whole, then cut at every
 * byte.
 *
 * Inputs are handed over as exact heap blocks, so that a sanitizer sees a read beyond the end. An
 * empty or missing folder is a failure: a test that replays nothing proves nothing.
 */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

enum { CUT_BELOW = 8192 };

static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    FUZZ_CHECK(exact);
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");
    FUZZ_CHECK(f);
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    run(data, size);
    for (size_t cut = 0; size < CUT_BELOW && cut < size; cut++)
        run(data, cut);
}

int main(int argc, char **argv)
{
    struct dirent **names;
    int replayed = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int count = scandir(argv[1], &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            replay(path);
            replayed++;
        }
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    printf("%d inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
