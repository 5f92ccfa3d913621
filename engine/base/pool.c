/* SPDX-License-Identifier: Apache-2.0 */
/* pool - see pool.h. A slab finds its region, and a block its slab, by its address. */
#include "engine/base/pool.h"

#include <assert.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { SLAB = 8 << 10, HUGE = 2 << 20, SINGLES = HUGE / SLAB, COPIED = 32 << 20 };

/* At the beginning of each slab. */
struct pool_slab {
    pool_slab *prev, *next;   /* among those of its size with a free block */
    void *free;               /* threaded through the blocks */
    uint32_t live, untouched; /* bytes from the slab's beginning: from here on no block was ever given out */
    uint32_t class;
    bool single; /* not in a region */
    /* of a region's first slab: */
    pool_slab *region_prev, *region_next;
    pool_slab *spare;      /* slabs that were given back, through `next` */
    uint32_t used, opened; /* slabs that are in use; that ever were */
    bool advised;          /* to be one huge page */
};
enum { LINE = 64, HEAD = (sizeof(pool_slab) + LINE - 1) / LINE * LINE }; /* blocks of whole lines begin with one */

#if defined(__SANITIZE_ADDRESS__)
enum { EVERY_BLOCK_ALONE = 1 };
#else
enum { EVERY_BLOCK_ALONE = 0 };
#endif

static _Atomic size_t mapped;

size_t memory_mapped(void) { return mapped; }

static void advise(void *at, size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    (void)madvise(at, size, MADV_HUGEPAGE); /* advice: as well without */
#endif
}

static void *huge_alloc(size_t size)
{
    void *out = aligned_alloc(HUGE, size);
    if (out)
        advise(out, size);
    return out;
}

/* malloc keeps twice as much for an aligned piece of this size; the kernel takes back what lies before and behind. */
static void *region_map(bool late)
{
#if defined(__linux__)
    char *all = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    char *out = (char *)(((uintptr_t)all + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
    if (out > all)
        (void)munmap(all, (size_t)(out - all));
    if (all + HUGE > out)
        (void)munmap(out + HUGE, (size_t)(all + HUGE - out));
    if (!late)
        advise(out, HUGE);
    mapped += HUGE;
    return out;
#else
    return huge_alloc(HUGE);
#endif
}

static void region_unmap(void *region)
{
#if defined(__linux__)
    (void)munmap(region, HUGE);
    mapped -= HUGE;
#else
    free(region);
#endif
}

static size_t huge_size(size_t size) { return (size + HUGE - 1) & ~(size_t)(HUGE - 1); }

/* What is moved page by page and not copied when it grows: its new part lies in huge pages. */
static void *grown_in_place(void *old, size_t old_size, size_t size)
{
    char *out = realloc(old, size);
    uintptr_t from = ((uintptr_t)out + HUGE - 1) & ~(uintptr_t)(HUGE - 1), to = (uintptr_t)out + size;
    if (out && size > old_size && from < to)
        advise((void *)from, (to - from) & ~(size_t)(HUGE - 1));
    return out;
}

void *memory_resize(void *old, size_t old_size, size_t size)
{
    if (size > PTRDIFF_MAX - HUGE)
        return NULL;
    if (size < HUGE)
        return realloc(old, size);
    if (old_size >= COPIED)
        return grown_in_place(old, old_size, size);
    void *out = huge_alloc(huge_size(size));
    if (!out)
        return NULL;
    if (old)
        memcpy(out, old, old_size < size ? old_size : size);
    free(old);
    return out;
}

void *memory_zeroed(size_t size)
{
    if (size > PTRDIFF_MAX - HUGE)
        return NULL;
    if (size < HUGE)
        return calloc(1, size);
    void *out = huge_alloc(huge_size(size));
    return out ? memset(out, 0, size) : NULL;
}

/* --- regions, known by their first slab -------------------------------------------------------------------------- */
static void region_link(pool *p, pool_slab *r)
{
    r->region_prev = NULL;
    r->region_next = p->regions;
    if (p->regions)
        p->regions->region_prev = r;
    p->regions = r;
}

static void region_unlink(pool *p, const pool_slab *r)
{
    if (r->region_prev)
        r->region_prev->region_next = r->region_next;
    else
        p->regions = r->region_next;
    if (r->region_next)
        r->region_next->region_prev = r->region_prev;
}

static pool_slab *region_take(pool *p)
{
    pool_slab *r = p->regions;
    if (!r) {
        r = region_map(p->late);
        if (!r)
            return NULL;
        r->spare = NULL;
        r->used = r->opened = 0;
        r->advised = !p->late;
        region_link(p, r);
    }
    pool_slab *s = r->spare;
    if (s)
        r->spare = s->next;
    else
        s = (pool_slab *)(void *)((char *)r + (size_t)r->opened++ * SLAB);
    if (++r->used == HUGE / SLAB) {
        region_unlink(p, r);
        if (!r->advised)
            advise(r, HUGE);
        r->advised = true;
    }
    return s;
}

static void region_give(pool *p, pool_slab *s)
{
    pool_slab *r = (pool_slab *)((uintptr_t)s & ~(uintptr_t)(HUGE - 1));
    if (r->used-- == HUGE / SLAB)
        region_link(p, r);
    s->next = r->spare;
    r->spare = s;
    if (r->used)
        return;
    region_unlink(p, r);
    region_unmap(r);
}

/* --- slabs -------------------------------------------------------------------------------------------------------- */
static void slab_link(pool *p, pool_slab *s)
{
    s->prev = NULL;
    s->next = p->roomy[s->class];
    if (s->next)
        s->next->prev = s;
    p->roomy[s->class] = s;
}

static void slab_unlink(pool *p, const pool_slab *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        p->roomy[s->class] = s->next;
    if (s->next)
        s->next->prev = s->prev;
}

static uint32_t class_of(size_t size) { return size ? (uint32_t)(size - 1) / POOL_STEP : 0; }
static uint32_t block_size(uint32_t class) { return (class + 1) * POOL_STEP; }
static bool is_full(const pool_slab *s) { return !s->free && s->untouched + block_size(s->class) > SLAB; }

static pool_slab *slab_new(pool *p, uint32_t class)
{
    bool single = p->singles < SINGLES;
    pool_slab *s = single ? aligned_alloc(SLAB, SLAB) : region_take(p);
    if (!s)
        return NULL;
    s->single = single;
    s->free = NULL;
    s->live = 0;
    s->untouched = HEAD;
    s->class = class;
    p->singles += single;
    p->slabs++;
    slab_link(p, s);
    return s;
}

static void slab_end(pool *p, pool_slab *s)
{
    slab_unlink(p, s);
    p->slabs--;
    if (!s->single) {
        region_give(p, s);
        return;
    }
    p->singles--;
    free(s);
}

/* --- blocks --------------------------------------------------------------------------------------------------------- */
static bool is_alone(size_t size) { return EVERY_BLOCK_ALONE || size > POOL_BLOCK; }

void pool_init(pool *p) { *p = (pool){.slabs = 0}; }

/* One empty slab of each size may be left: see pool_give. */
void pool_deinit(pool *p)
{
    for (uint32_t class = 0; class < POOL_CLASSES; class ++)
        while (p->roomy[class]) {
            assert(p->roomy[class]->live == 0);
            slab_end(p, p->roomy[class]);
        }
    assert(p->slabs == 0);
}

void *pool_take(pool *p, size_t size)
{
    if (is_alone(size))
        return malloc(size);
    uint32_t class = class_of(size);
    pool_slab *s = p->roomy[class];
    if (!s && !(s = slab_new(p, class)))
        return NULL;
    void *block = s->free;
    if (block) {
        memcpy(&s->free, block, sizeof(s->free));
    } else {
        block = (char *)s + s->untouched;
        s->untouched += block_size(class);
    }
    s->live++;
    if (is_full(s))
        slab_unlink(p, s);
    return block;
}

void pool_give(pool *p, void *block, size_t size)
{
    if (!block)
        return;
    if (is_alone(size)) {
        free(block);
        return;
    }
    pool_slab *s = (pool_slab *)((uintptr_t)block & ~(uintptr_t)(SLAB - 1));
    assert(s->class == class_of(size) && s->live > 0);
    if (is_full(s))
        slab_link(p, s);
    memcpy(block, &s->free, sizeof(s->free));
    s->free = block;
    s->live--;
    /* An only one stays: taking and giving at its edge must not cost a slab each time. */
    if (s->live == 0 && (s->prev || s->next))
        slab_end(p, s);
}
