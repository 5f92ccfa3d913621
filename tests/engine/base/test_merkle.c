/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_merkle - the published vectors of certificate transparency (leaves, roots, inclusion and consistency proofs), and the
 * property: for trees of any size every proof verifies, and none does in which one bit, one hash or one number was changed.
 */
#include "engine/base/merkle.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/base/unit.h"

enum { LEAVES_MAX = 700 };

/* --- a tree that keeps its leaves, and computes nodes by the definition ------------------------------ */
typedef struct tree {
    merkle_hash leaves[LEAVES_MAX];
    uint64_t size;
} tree;

/* MTH of section 2.1, word for word. */
static merkle_hash mth(const merkle_hash *leaves, uint64_t n)
{
    merkle_hash out;
    uint64_t k = 1;
    if (n == 1)
        return leaves[0];
    while (k * 2 < n)
        k *= 2;
    merkle_hash left = mth(leaves, k), right = mth(leaves + k, n - k);
    assert_true(merkle_node(&out, &left, &right));
    return out;
}

static mandate_status node(void *ctx, unsigned level, uint64_t index, merkle_hash *out, mandate_error *err)
{
    const tree *t = ctx;
    uint64_t n = UINT64_C(1) << level;
    (void)err;
    assert_true((index + 1) * n <= t->size); /* complete ones only */
    *out = mth(t->leaves + index * n, n);
    return MANDATE_OK;
}

static void grow(tree *t, uint64_t size)
{
    for (; t->size < size; t->size++)
        assert_true(merkle_leaf(&t->leaves[t->size], mandate_slice_of((const char *)&t->size, sizeof(t->size))));
}

/* --- vectors -------------------------------------------------------------------------------------------- */
static merkle_hash unhex(const char *text)
{
    merkle_hash out;
    for (int i = 0; i < SHA256_SIZE; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        out.bytes[i] = (uint8_t)byte;
    }
    return out;
}

static const char *const vector_roots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
static const char *const empty_root = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void vector_tree(tree *t)
{
    static const struct {
        const char *bytes;
        size_t len;
    } entries[] = {{"", 0},         {"\x00", 1},
                   {"\x10", 1},     {"\x20\x21", 2},
                   {"\x30\x31", 2}, {"\x40\x41\x42\x43", 4},
                   {"PQRSTUVW", 8}, {"`abcdefghijklmno", 16}};
    t->size = 8;
    for (int i = 0; i < 8; i++)
        assert_true(merkle_leaf(&t->leaves[i], mandate_slice_of(entries[i].bytes, entries[i].len)));
}

static void test_merkle__the_roots_are_the_published_ones(void **state)
{
    mandate_error err;
    tree t;
    merkle_edge edge = {0};
    merkle_hash got, expected = unhex(empty_root);
    vector_tree(&t);
    assert_true(merkle_edge_root(&got, &edge));
    assert_true(merkle_hash_eq(&got, &expected));
    for (uint64_t n = 1; n <= 8; n++) {
        expected = unhex(vector_roots[n - 1]);
        assert_true(merkle_edge_add(&edge, &t.leaves[n - 1], NULL, NULL));
        assert_true(merkle_edge_root(&got, &edge));
        assert_true(merkle_hash_eq(&got, &expected));
        assert_int_equal(merkle_root(&got, n, (merkle_source){node, &t}, &err), MANDATE_OK);
        assert_true(merkle_hash_eq(&got, &expected));
    }
}

typedef struct vector {
    uint64_t a, b; /* leaf and size, or two sizes */
    const char *proof[3];
} vector;

static void assert_proof(const merkle_proof *p, const vector *v)
{
    uint32_t count = 0;
    for (; count < 3 && v->proof[count]; count++) {
        merkle_hash expected = unhex(v->proof[count]);
        assert_true(count < p->count && merkle_hash_eq(&p->hashes[count], &expected));
    }
    assert_int_equal(p->count, count);
}

#define H1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define H2 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H3 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
#define H4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define H5 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define H6 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define H7 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define H8 "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"

static void test_merkle__inclusion_proofs_are_the_published_ones(void **state)
{
    static const vector vectors[] = {
        {0, 1, {NULL}},
        {0, 8, {H1, H2, H3}},
        {5, 8, {H4, H5, H6}},
        {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
        {1, 5, {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", H2, H4}},
    };
    mandate_error err;
    merkle_proof p;
    tree t;
    vector_tree(&t);
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        merkle_hash root = unhex(vector_roots[vectors[i].b - 1]);
        assert_int_equal(merkle_inclusion(&p, vectors[i].a, vectors[i].b, (merkle_source){node, &t}, &err), MANDATE_OK);
        assert_proof(&p, &vectors[i]);
        assert_true(merkle_verify_inclusion(&t.leaves[vectors[i].a], vectors[i].a, vectors[i].b, p.hashes, p.count, &root));
    }
    assert_int_equal(merkle_inclusion(&p, 8, 8, (merkle_source){node, &t}, &err), MANDATE_INVALID);
    assert_int_equal(merkle_inclusion(&p, 0, 0, (merkle_source){node, &t}, &err), MANDATE_INVALID);
}

static void test_merkle__consistency_proofs_are_the_published_ones(void **state)
{
    static const vector vectors[] = {
        {1, 1, {NULL}}, {1, 8, {H1, H2, H3}}, {6, 8, {H7, H5, H6}}, {2, 5, {H2, H4}}, {6, 7, {H7, H8, H6}}};
    mandate_error err;
    merkle_proof p;
    tree t;
    vector_tree(&t);
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        merkle_hash one = unhex(vector_roots[vectors[i].a - 1]), two = unhex(vector_roots[vectors[i].b - 1]);
        assert_int_equal(merkle_consistency(&p, vectors[i].a, vectors[i].b, (merkle_source){node, &t}, &err), MANDATE_OK);
        assert_proof(&p, &vectors[i]);
        assert_true(merkle_verify_consistency(vectors[i].a, vectors[i].b, p.hashes, p.count, &one, &two));
    }
    assert_int_equal(merkle_consistency(&p, 8, 7, (merkle_source){node, &t}, &err), MANDATE_INVALID);
}

static void test_merkle__the_empty_tree_begins_every_tree_and_has_one_root(void **state)
{
    merkle_hash empty = unhex(empty_root), root = unhex(vector_roots[2]);
    assert_true(merkle_verify_consistency(0, 0, NULL, 0, &empty, &empty));
    assert_true(merkle_verify_consistency(0, 3, NULL, 0, &empty, &root));
    assert_false(merkle_verify_consistency(0, 3, NULL, 0, &root, &root));
    assert_false(merkle_verify_consistency(0, 3, &root, 1, &empty, &root));
    assert_false(merkle_verify_consistency(1, 0, NULL, 0, &root, &empty));
    assert_false(merkle_verify_consistency(1, 2, NULL, 0, &root, &root));
    assert_false(merkle_verify_inclusion(&root, 0, 0, NULL, 0, &empty));
    assert_false(merkle_verify_inclusion(&root, 1, 1, NULL, 0, &root));
    assert_true(merkle_verify_inclusion(&root, 0, 1, NULL, 0, &root));
}

/* --- the property ------------------------------------------------------------------------------------------ */
static uint64_t seed = 20260911;

static uint64_t below(uint32_t bound) { return random_below(&seed, bound); }

static void flip(merkle_hash *h)
{
    uint64_t bit = below(SHA256_SIZE * 8);
    h->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static bool included(const tree *t, uint64_t index, uint64_t size, const merkle_proof *p, const merkle_hash *root)
{
    return merkle_verify_inclusion(&t->leaves[index], index, size, p->hashes, p->count, root);
}

static void inclusion_holds_and_nothing_near_it(tree *t, uint64_t index, uint64_t size)
{
    mandate_error err;
    merkle_proof p;
    merkle_hash root = mth(t->leaves, size), other = root, leaf = t->leaves[index];
    assert_int_equal(merkle_inclusion(&p, index, size, (merkle_source){node, t}, &err), MANDATE_OK);
    assert_true(included(t, index, size, &p, &root));
    flip(&other);
    assert_false(included(t, index, size, &p, &other));
    flip(&leaf);
    assert_false(merkle_verify_inclusion(&leaf, index, size, p.hashes, p.count, &root));
    for (uint32_t i = 0; i < p.count; i++) {
        merkle_proof bad = p;
        flip(&bad.hashes[i]);
        assert_false(included(t, index, size, &bad, &root));
    }
    if (p.count) {
        p.count--;
        assert_false(included(t, index, size, &p, &root));
        p.count++;
    }
    p.hashes[p.count++] = root;
    assert_false(included(t, index, size, &p, &root));
    p.count--;
    for (int i = 0; i < 6; i++) { /* another place: the same leaf elsewhere */
        uint64_t at = below((uint32_t)size);
        if (at != index)
            assert_false(merkle_verify_inclusion(&t->leaves[index], at, size, p.hashes, p.count, &root));
    }
}

static bool consistent(uint64_t m, uint64_t n, const merkle_proof *p, const merkle_hash *one, const merkle_hash *two)
{
    return merkle_verify_consistency(m, n, p->hashes, p->count, one, two);
}

static void consistency_holds_and_nothing_near_it(tree *t, uint64_t m, uint64_t n)
{
    mandate_error err;
    merkle_proof p;
    merkle_hash one = mth(t->leaves, m), two = mth(t->leaves, n), bad = one;
    assert_int_equal(merkle_consistency(&p, m, n, (merkle_source){node, t}, &err), MANDATE_OK);
    assert_true(consistent(m, n, &p, &one, &two));
    flip(&bad);
    assert_false(consistent(m, n, &p, &bad, &two));
    bad = two;
    flip(&bad);
    assert_false(consistent(m, n, &p, &one, &bad));
    if (m == n)
        return;
    assert_false(consistent(m, n, &p, &two, &one));
    for (uint32_t i = 0; i < p.count; i++) {
        merkle_proof changed = p;
        flip(&changed.hashes[i]);
        assert_false(consistent(m, n, &changed, &one, &two));
    }
    p.count--;
    assert_false(consistent(m, n, &p, &one, &two));
    p.count++;
    p.hashes[p.count++] = one;
    assert_false(consistent(m, n, &p, &one, &two));
}

static void test_merkle__every_proof_of_small_trees_verifies_and_no_altered_one(void **state)
{
    static tree t;
    grow(&t, 40);
    for (uint64_t size = 1; size <= 40; size++)
        for (uint64_t i = 0; i < size; i++) {
            inclusion_holds_and_nothing_near_it(&t, i, size);
            consistency_holds_and_nothing_near_it(&t, i + 1, size);
        }
}

static void test_merkle__the_same_for_random_sizes(void **state)
{
    static tree t;
    grow(&t, LEAVES_MAX);
    for (int round = 0; round < 300; round++) {
        uint64_t size = 1 + below(LEAVES_MAX);
        inclusion_holds_and_nothing_near_it(&t, below((uint32_t)size), size);
        consistency_holds_and_nothing_near_it(&t, 1 + below((uint32_t)size), size);
    }
}

typedef struct seen {
    const tree *t;
    uint32_t levels[16];
} seen;

static void complete(void *ctx, unsigned level, uint64_t index, const merkle_hash *hash)
{
    seen *s = ctx;
    merkle_hash expected = mth(s->t->leaves + (index << level), UINT64_C(1) << level);
    assert_true(merkle_hash_eq(&expected, hash));
    assert_int_equal(index, s->levels[level]++);
}

static void test_merkle__the_edge_tells_every_subtree_once_and_costs_one_node_a_leaf(void **state)
{
    static tree t;
    merkle_edge edge = {0};
    seen s = {.t = &t};
    uint64_t nodes = 0;
    grow(&t, LEAVES_MAX);
    for (uint64_t i = 0; i < LEAVES_MAX; i++)
        assert_true(merkle_edge_add(&edge, &t.leaves[i], complete, &s));
    for (unsigned level = 0; level < 16; level++) {
        assert_int_equal(s.levels[level], LEAVES_MAX >> level);
        nodes += level ? s.levels[level] : 0;
    }
    assert_true(nodes < LEAVES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merkle__the_roots_are_the_published_ones),
        cmocka_unit_test(test_merkle__inclusion_proofs_are_the_published_ones),
        cmocka_unit_test(test_merkle__consistency_proofs_are_the_published_ones),
        cmocka_unit_test(test_merkle__the_empty_tree_begins_every_tree_and_has_one_root),
        cmocka_unit_test(test_merkle__every_proof_of_small_trees_verifies_and_no_altered_one),
        cmocka_unit_test(test_merkle__the_same_for_random_sizes),
        cmocka_unit_test(test_merkle__the_edge_tells_every_subtree_once_and_costs_one_node_a_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
