/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_folder - a log as a folder of tiles verifies, and every way of tampering with it is found and named by its first entry.
 */
#include "connectors/audit/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/engine/base/unit.h"

#define S(text) mandate_slice_str(text)
enum { SIZE = 1100, OLDER = 700 };

typedef struct fixture {
    char path[64];
    token_key *signer;
    note_key key;
    buf key_text, older;
    merkle_edge edge;
    merkle_hash leaves[SIZE], tiles[SIZE / TILE_WIDTH];
} fixture;

static void name_entry(char out[32], uint64_t i) { snprintf(out, 32, "{\"index\":%llu}", (unsigned long long)i); }

static void put(fixture *f, unsigned level, uint64_t index, mandate_slice bytes)
{
    char path[TILE_PATH_MAX];
    tile_name t = {level, index, tile_width(level, index, SIZE)};
    tile_path(path, &t);
    assert_int_equal(folder_write(f->path, path, bytes, NULL), MANDATE_OK);
}

static void put_bundle(fixture *f, uint64_t index, uint64_t changed)
{
    char text[32];
    buf b;
    buf_init(&b);
    for (uint64_t i = index * TILE_WIDTH; i < SIZE && i < (index + 1) * TILE_WIDTH; i++) {
        name_entry(text, i == changed ? 99999 : i);
        assert_true(tile_put_entry(&b, S(text)));
    }
    put(f, TILE_ENTRIES, index, buf_slice(&b));
    buf_deinit(&b);
}

static void put_checkpoint(fixture *f, buf *out)
{
    checkpoint c = {.origin = "example.com/log", .size = f->edge.size};
    buf_reset(out);
    assert_true(merkle_edge_root(&c.root, &f->edge));
    assert_int_equal(checkpoint_sign(out, &c, &f->key, f->signer, NULL), MANDATE_OK);
}

static void complete(void *ctx, unsigned level, uint64_t index, const merkle_hash *hash)
{
    fixture *f = ctx;
    if (level == TILE_HEIGHT)
        f->tiles[index] = *hash;
}

static void put_hashes(fixture *f)
{
    for (uint64_t at = 0; at * TILE_WIDTH < SIZE; at++)
        put(f, 0, at, mandate_slice_of((char *)(f->leaves + at * TILE_WIDTH), 32 * tile_width(0, at, SIZE)));
    put(f, 1, 0, mandate_slice_of((char *)f->tiles, sizeof(f->tiles)));
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    char text[32];
    buf note;
    buf_init(&note);
    buf_init(&f->older);
    buf_init(&f->key_text);
    snprintf(f->path, sizeof(f->path), "/tmp/test-folder-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    assert_int_equal(token_key_generate(&f->signer, TOKEN_EDDSA, NULL), MANDATE_OK);
    assert_int_equal(note_key_of(&f->key, S("example.com/log"), f->signer, NULL), MANDATE_OK);
    note_key_put(&f->key_text, &f->key);
    for (uint64_t i = 0; i < SIZE; i++) {
        name_entry(text, i);
        assert_true(merkle_leaf(&f->leaves[i], S(text)));
        assert_true(merkle_edge_add(&f->edge, &f->leaves[i], complete, f));
        if (f->edge.size == OLDER)
            put_checkpoint(f, &f->older);
    }
    for (uint64_t at = 0; at * TILE_WIDTH < SIZE; at++)
        put_bundle(f, at, UINT64_MAX);
    put_hashes(f);
    put_checkpoint(f, &note);
    assert_int_equal(folder_write(f->path, "checkpoint", buf_slice(&note), NULL), MANDATE_OK);
    buf_deinit(&note);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", f->path);
    assert_int_equal(system(command), 0);
    note_key_deinit(&f->key);
    token_key_destroy(f->signer);
    buf_deinit(&f->key_text);
    buf_deinit(&f->older);
    free(f);
    return 0;
}

static bool count_one(void *ctx, uint64_t index, mandate_slice entry)
{
    char text[32];
    name_entry(text, index);
    assert_true(mandate_slice_is(entry, text));
    ++*(uint64_t *)ctx;
    return true;
}

static mandate_status verify(fixture *f, bool with_older, mandate_audit_report *r, mandate_error *err)
{
    mandate_slice key = buf_slice(&f->key_text), older = buf_slice(&f->older);
    mandate_audit_folder what = MANDATE_AUDIT_FOLDER_INIT;
    what.path = f->path;
    what.keys = &key;
    what.key_count = 1;
    what.older = &older;
    what.older_count = with_older;
    return mandate_audit_verify_folder(r, &what, err);
}

#define assert_says(words)                                             \
    do {                                                               \
        if (!strstr(err.text, (words)))                                \
            fail_msg("\"%s\" does not say \"%s\"", err.text, (words)); \
    } while (0)

static void test_folder__a_whole_log_verifies(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    mandate_slice key = buf_slice(&f->key_text);
    uint64_t seen = 0;
    mandate_audit_folder what = MANDATE_AUDIT_FOLDER_INIT;
    if (verify(f, true, &r, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r.checked, SIZE);
    assert_int_equal(r.first_wrong, UINT64_MAX);
    assert_int_equal(r.checkpoint.size, SIZE);
    assert_string_equal(r.checkpoint.origin, "example.com/log");
    what.path = f->path;
    what.keys = &key;
    what.key_count = 1;
    what.entry = count_one;
    what.ctx = &seen;
    assert_int_equal(mandate_audit_verify_folder(&r, &what, &err), MANDATE_OK);
    assert_int_equal(seen, SIZE);
}

static void test_folder__an_altered_entry_is_named(void **state)
{
    fixture *f = *state;
    static const uint64_t which[] = {0, 5, 255, 256, 767, 1023, 1024, SIZE - 1};
    mandate_error err;
    mandate_audit_report r;
    for (size_t i = 0; i < COUNT_OF(which); i++) {
        put_bundle(f, which[i] / TILE_WIDTH, which[i]);
        assert_int_equal(verify(f, i % 2, &r, &err), MANDATE_DENIED);
        assert_int_equal(r.first_wrong, which[i]);
        assert_says("it is not what its leaf hash was made of");
        put_bundle(f, which[i] / TILE_WIDTH, UINT64_MAX);
    }
    assert_int_equal(verify(f, true, &r, &err), MANDATE_OK);
}

/* Entry and leaf hash together: the tile above knows. */
static void alter_with_its_hash(fixture *f, uint64_t which)
{
    char text[32];
    name_entry(text, 99999);
    put_bundle(f, which / TILE_WIDTH, which);
    assert_true(merkle_leaf(&f->leaves[which], S(text)));
    put_hashes(f);
}

static void test_folder__an_entry_altered_together_with_its_hash_is_found_by_the_tile_above(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    alter_with_its_hash(f, 300);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_DENIED);
    assert_int_equal(r.first_wrong, 256);
    assert_says("do not give hash 1 of tile level 1");
}

static void test_folder__one_in_the_last_tile_is_found_by_the_signed_root(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    alter_with_its_hash(f, 1090);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_DENIED);
    assert_int_equal(r.first_wrong, 0);
    assert_says("does not have the root that was signed");
    assert_int_equal(verify(f, true, &r, &err), MANDATE_DENIED);
    assert_int_equal(r.first_wrong, OLDER); /* up to there a checkpoint that was kept proves it */
}

static void test_folder__a_rewritten_history_contradicts_the_checkpoint_that_was_kept(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    char text[32];
    buf note;
    buf_init(&note);
    /* All of it made anew by whoever has the key, with one entry changed. */
    memset(&f->edge, 0, sizeof(f->edge));
    for (uint64_t i = 0; i < SIZE; i++) {
        name_entry(text, i == 10 ? 99999 : i);
        assert_true(merkle_leaf(&f->leaves[i], S(text)));
        assert_true(merkle_edge_add(&f->edge, &f->leaves[i], complete, f));
    }
    put_bundle(f, 0, 10);
    put_hashes(f);
    put_checkpoint(f, &note);
    assert_int_equal(folder_write(f->path, "checkpoint", buf_slice(&note), NULL), MANDATE_OK);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_OK);
    assert_int_equal(verify(f, true, &r, &err), MANDATE_DENIED);
    assert_says("a checkpoint of 700 entries that was kept has another root");
    buf_deinit(&note);
}

static void test_folder__a_log_that_became_shorter_is_found(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    buf newer;
    buf_init(&newer);
    put_checkpoint(f, &newer);
    assert_int_equal(folder_write(f->path, "checkpoint", buf_slice(&f->older), NULL), MANDATE_OK);
    buf_deinit(&f->older);
    f->older = newer;
    assert_int_equal(verify(f, true, &r, &err), MANDATE_DENIED);
    assert_int_equal(r.first_wrong, OLDER);
    assert_says("its end was cut off");
}

static void test_folder__a_tile_that_is_wrong_while_the_entries_are_right_is_named(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    merkle_hash good = f->tiles[2];
    f->tiles[2].bytes[3] ^= 1;
    put_hashes(f);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_DENIED);
    assert_says("tile/1/000.p/4 is wrong: the entries give the signed root");
    f->tiles[2] = good;
    f->leaves[600].bytes[0] ^= 1;
    put_hashes(f);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_DENIED);
    assert_says("tile/0/002 is wrong: the entries give the signed root");
}

static void test_folder__missing_short_and_long_files_are_named(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    char path[128];
    snprintf(path, sizeof(path), "%s/tile/entries/002", f->path);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_INVALID);
    assert_says("tile/entries/002 ends after");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_NOT_FOUND);
    assert_says("tile/entries/002");
    put_bundle(f, 2, UINT64_MAX);
    snprintf(path, sizeof(path), "%s/tile/1/000.p/4", f->path);
    assert_int_equal(truncate(path, 96), 0);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_INVALID);
    assert_says("tile/1/000.p/4 has 96 bytes");
}

/* Whoever may put files there can neither hang whoever verifies nor have them write elsewhere. */
static void test_folder__what_is_no_file_is_refused_and_a_link_is_not_written_through(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    char path[128], victim[128], text[8] = "";
    buf b;
    snprintf(path, sizeof(path), "%s/tile/0/001", f->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_INVALID);
    assert_says("tile/0/001 is no regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_INVALID);
    assert_int_equal(rmdir(path), 0);
    put_hashes(f);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_OK);
    snprintf(victim, sizeof(victim), "%s/victim", f->path);
    int fd = open(victim, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "precious", 8), 8);
    close(fd);
    snprintf(path, sizeof(path), "%s/checkpoint.new", f->path);
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(folder_write(f->path, "checkpoint", S("new\n"), &err), MANDATE_OK);
    fd = open(victim, O_RDONLY);
    assert_int_equal(read(fd, text, 8), 8);
    close(fd);
    assert_memory_equal(text, "precious", 8);
    buf_init(&b);
    assert_int_equal(folder_read(&b, f->path, "checkpoint", 100, &err), MANDATE_OK);
    assert_true(mandate_slice_is(buf_slice(&b), "new\n"));
    buf_deinit(&b);
    assert_int_equal(unlink(victim), 0);
}

static void test_folder__another_key_signs_nothing(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_audit_report r;
    token_key *other;
    note_key key;
    assert_int_equal(token_key_generate(&other, TOKEN_EDDSA, NULL), MANDATE_OK);
    assert_int_equal(note_key_of(&key, S("example.com/log"), other, NULL), MANDATE_OK);
    buf_reset(&f->key_text);
    note_key_put(&f->key_text, &key);
    assert_int_equal(verify(f, false, &r, &err), MANDATE_DENIED);
    note_key_deinit(&key);
    token_key_destroy(other);
}

/* --- the other public functions ----------------------------------------------------------------------------- */
typedef struct kept {
    const fixture *f;
} kept;

static mandate_status node(void *ctx, unsigned level, uint64_t index, merkle_hash *out, mandate_error *err)
{
    const kept *k = ctx;
    if (level == 0) {
        *out = k->f->leaves[index];
        return MANDATE_OK;
    }
    merkle_hash left, right;
    assert_int_equal(node(ctx, level - 1, index * 2, &left, err), MANDATE_OK);
    assert_int_equal(node(ctx, level - 1, index * 2 + 1, &right, err), MANDATE_OK);
    assert_true(merkle_node(out, &left, &right));
    return MANDATE_OK;
}

static void test_audit__proofs_verify_offline_against_verified_checkpoints(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_slice key = buf_slice(&f->key_text);
    mandate_audit_checkpoint now, older, other;
    merkle_proof p;
    kept k = {f};
    uint8_t leaf[32];
    buf note;
    buf_init(&note);
    put_checkpoint(f, &note);
    assert_int_equal(mandate_audit_checkpoint_verify(&now, buf_slice(&note), &key, 1, &err), MANDATE_OK);
    assert_int_equal(mandate_audit_checkpoint_verify(&older, buf_slice(&f->older), &key, 1, &err), MANDATE_OK);
    assert_int_equal(mandate_audit_leaf_hash(leaf, S("{\"index\":42}"), &err), MANDATE_OK);
    assert_int_equal(merkle_inclusion(&p, 42, SIZE, (merkle_source){node, &k}, &err), MANDATE_OK);
    assert_int_equal(mandate_audit_inclusion_verify(leaf, 42, &now, p.hashes[0].bytes, p.count, &err), MANDATE_OK);
    assert_int_equal(mandate_audit_inclusion_verify(leaf, 43, &now, p.hashes[0].bytes, p.count, &err), MANDATE_DENIED);
    assert_int_equal(mandate_audit_inclusion_verify(leaf, 42, &now, p.hashes[0].bytes, 99, &err), MANDATE_INVALID);
    assert_int_equal(merkle_consistency(&p, OLDER, SIZE, (merkle_source){node, &k}, &err), MANDATE_OK);
    assert_int_equal(mandate_audit_consistency_verify(&older, &now, p.hashes[0].bytes, p.count, &err), MANDATE_OK);
    other = older;
    other.root[0] ^= 1;
    assert_int_equal(mandate_audit_consistency_verify(&other, &now, p.hashes[0].bytes, p.count, &err), MANDATE_DENIED);
    other = older;
    other.origin[0] ^= 1;
    assert_int_equal(mandate_audit_consistency_verify(&other, &now, p.hashes[0].bytes, p.count, &err), MANDATE_DENIED);
    buf_deinit(&note);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_folder__a_whole_log_verifies),
        CASE(test_folder__an_altered_entry_is_named),
        CASE(test_folder__an_entry_altered_together_with_its_hash_is_found_by_the_tile_above),
        CASE(test_folder__one_in_the_last_tile_is_found_by_the_signed_root),
        CASE(test_folder__a_rewritten_history_contradicts_the_checkpoint_that_was_kept),
        CASE(test_folder__a_log_that_became_shorter_is_found),
        CASE(test_folder__a_tile_that_is_wrong_while_the_entries_are_right_is_named),
        CASE(test_folder__missing_short_and_long_files_are_named),
        CASE(test_folder__what_is_no_file_is_refused_and_a_link_is_not_written_through),
        CASE(test_folder__another_key_signs_nothing),
        CASE(test_audit__proofs_verify_offline_against_verified_checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
