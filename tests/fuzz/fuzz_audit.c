/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_audit - any bytes as what an auditor reads: a signed note, a checkpoint, a verifier key, the path of a tile, a bundle of
 * entries, a proof. What is taken must be the one spelling of what was read, and no proof of random bytes proves anything.
 */
#include "connectors/audit/checkpoint.h"
#include "connectors/audit/tile.h"
#include "engine/base/base64.h"
#include "fuzz.h"

/* The example of Go's sumdb/note: a key that has signed one text, which the corpus has. */
static const char known_key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char known_text[] = "If you think cryptography is the answer to your problem,\n"
                                 "then you don't know what your problem is.\n";

static const note_key *trusted(void)
{
    static note_key key;
    static bool made;
    if (!made)
        FUZZ_CHECK(note_key_parse(&key, mandate_slice_str(known_key), NULL) == MANDATE_OK);
    made = true;
    return &key;
}

static void as_note(mandate_slice bytes)
{
    mandate_slice text;
    mandate_error err;
    checkpoint c;
    uint32_t by = 9;
    if (note_open(&text, &by, bytes, trusted(), 1, &err) == MANDATE_OK)
        FUZZ_CHECK(by == 0 && mandate_slice_is(text, known_text)); /* nothing else was ever signed */
    FUZZ_CHECK(note_open(&text, NULL, bytes, NULL, 0, &err) != MANDATE_OK);
    FUZZ_CHECK(checkpoint_open(&c, bytes, trusted(), 1, &err) != MANDATE_OK);
}

static void as_checkpoint(mandate_slice bytes)
{
    mandate_error err;
    checkpoint c;
    buf again;
    if (checkpoint_parse(&c, bytes, &err) != MANDATE_OK)
        return;
    buf_init(&again);
    buf_printf(&again, "%s\n%llu\n", c.origin, (unsigned long long)c.size);
    base64_put(&again, BASE64_STANDARD, c.root.bytes, SHA256_SIZE);
    buf_put_char(&again, '\n');
    /* Unless the origin has a zero byte, which no note can have. */
    if (!memchr(bytes.ptr, '\0', bytes.len))
        FUZZ_CHECK(bytes.len >= again.len && memcmp(bytes.ptr, again.data, again.len) == 0);
    buf_deinit(&again);
}

static void as_key(mandate_slice bytes)
{
    mandate_error err;
    note_key key;
    buf again;
    if (note_key_parse(&key, bytes, &err) == MANDATE_OK) {
        buf_init(&again);
        note_key_put(&again, &key);
        FUZZ_CHECK(mandate_slice_eq(buf_slice(&again), bytes));
        buf_deinit(&again);
    }
    note_key_deinit(&key);
}

static void as_path(mandate_slice bytes)
{
    char again[TILE_PATH_MAX];
    tile_name t;
    if (!tile_path_parse(&t, bytes))
        return;
    FUZZ_CHECK(t.width >= 1 && t.width <= TILE_WIDTH && (t.level < TILE_LEVELS || t.level == TILE_ENTRIES));
    tile_path(again, &t);
    FUZZ_CHECK(mandate_slice_is(bytes, again));
}

static void as_bundle(mandate_slice bytes)
{
    mandate_slice rest = bytes, entry;
    buf again;
    buf_init(&again);
    while (tile_next_entry(&entry, &rest))
        FUZZ_CHECK(tile_put_entry(&again, entry));
    FUZZ_CHECK(again.len + rest.len == bytes.len && (again.len == 0 || memcmp(again.data, bytes.ptr, again.len) == 0));
    buf_deinit(&again);
}

/* Numbers and hashes as they come; the roots are of something else. */
static void as_proof(mandate_slice bytes)
{
    static const merkle_hash root = {{1}}, other = {{2}};
    merkle_hash hashes[MERKLE_PROOF_MAX];
    uint64_t a, b;
    if (bytes.len < 16)
        return;
    memcpy(&a, bytes.ptr, 8);
    memcpy(&b, bytes.ptr + 8, 8);
    size_t count = (bytes.len - 16) / SHA256_SIZE;
    count = count < MERKLE_PROOF_MAX ? count : MERKLE_PROOF_MAX;
    memcpy(hashes, bytes.ptr + 16, count * SHA256_SIZE);
    FUZZ_CHECK(!merkle_verify_inclusion(&other, a, b, hashes, (uint32_t)count, &root));
    FUZZ_CHECK(!merkle_verify_consistency(a, b, hashes, (uint32_t)count, &root, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice bytes = mandate_slice_of((const char *)data, size);
    as_note(bytes);
    as_checkpoint(bytes);
    as_key(bytes);
    as_path(bytes);
    as_bundle(bytes);
    as_proof(bytes);
    return 0;
}
