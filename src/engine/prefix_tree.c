/* See prefix_tree.h. One array has a node for each page; everything else is links between nodes by
 * number: the free stack, the children of a node, the buckets of a hash table that finds a child by
 * its parent and tokens, and the list of leaves that nobody holds, in the order of their last use.
 *
 * The list of leaves is kept sorted at little cost: a page that is released is the one used last
 * and goes to its end. Only a node that becomes a leaf because its child was evicted is put
 * where its own last use belongs, and since the child that just went was the oldest of all, that
 * place is nearly always at the front.
 *
 * What was evicted is remembered by the hash of its path in a small table in which newer entries
 * overwrite older ones, so that a miss can say that it was no first use. */
#include "engine/prefix_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { EVICTED_REMEMBERED = 4096 }; /* a power of two; 32 KiB */

struct node {
    uint64_t path; /* hash of all tokens from the root to this page's last */
    uint64_t used_at;
    int32_t parent, first_child, next_sibling, previous_sibling;
    int32_t next_in_bucket; /* of a free page: the next free one */
    int32_t older, newer;   /* leaves that nobody holds */
    uint32_t holders;
    bool is_known; /* in the tree */
    bool is_listed;
    bool is_marked;
};

struct den_prefix_tree {
    size_t pages, page_tokens, unused_max;
    struct node *nodes; /* (pages) */
    int32_t *tokens;    /* (pages, page_tokens) */
    int32_t *buckets;   /* (bucket_count), a power of two */
    size_t bucket_count;
    int32_t free_page; /* the first of a chain */
    int32_t root_child;
    int32_t oldest, newest;
    uint64_t clock;
    size_t marked, mark_cursor;
    struct den_prefix_tree_counts counts;
    uint64_t evicted[EVICTED_REMEMBERED];
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

static uint64_t path_of(const struct den_prefix_tree *tree, int32_t parent, const int32_t *tokens)
{
    uint64_t hash = parent == DEN_PREFIX_ROOT ? 0x51ed270b9f3c1d15u : tree->nodes[parent].path;
    size_t i;

    for (i = 0; i < tree->page_tokens; i++)
        hash = mix(hash, (uint32_t)tokens[i]);
    return hash ? hash : 1; /* 0 stands for nothing in `evicted` */
}

static int32_t *bucket_of(const struct den_prefix_tree *tree, uint64_t path)
{
    return &tree->buckets[(path >> 20) & (tree->bucket_count - 1)];
}

static int32_t *tokens_of(const struct den_prefix_tree *tree, int32_t page)
{
    return tree->tokens + (size_t)page * tree->page_tokens;
}

enum den_status den_prefix_tree_create(size_t pages, size_t page_tokens, size_t unused_max,
                                       struct den_prefix_tree **out, struct den_error *err)
{
    struct den_prefix_tree *tree;
    size_t count, i;

    if (pages == 0 || pages > INT32_MAX || page_tokens == 0 ||
        !den_checked_multiply(pages, page_tokens, &count))
        return den_fail(err, DEN_INVALID, "prefix tree: %zu pages of %zu tokens", pages,
                        page_tokens);
    tree = calloc(1, sizeof *tree);
    if (!tree)
        return den_fail(err, DEN_NO_MEMORY, "prefix tree: out of memory");
    tree->pages = pages;
    tree->page_tokens = page_tokens;
    tree->unused_max = unused_max;
    for (tree->bucket_count = 16; tree->bucket_count < pages;)
        tree->bucket_count *= 2;
    tree->nodes = calloc(pages, sizeof *tree->nodes);
    tree->tokens = calloc(count, sizeof *tree->tokens);
    tree->buckets = malloc(tree->bucket_count * sizeof *tree->buckets);
    if (!tree->nodes || !tree->tokens || !tree->buckets) {
        den_prefix_tree_destroy(tree);
        return den_fail(err, DEN_NO_MEMORY, "prefix tree: out of memory for %zu pages", pages);
    }
    memset(tree->buckets, 0xff, tree->bucket_count * sizeof *tree->buckets); /* all -1 */
    tree->root_child = tree->oldest = tree->newest = DEN_PREFIX_ROOT;
    for (i = 0; i < pages; i++)
        tree->nodes[i].next_in_bucket = i + 1 < pages ? (int32_t)(i + 1) : DEN_PREFIX_ROOT;
    tree->free_page = 0;
    tree->counts.free = pages;
    *out = tree;
    return DEN_OK;
}

void den_prefix_tree_destroy(struct den_prefix_tree *tree)
{
    if (!tree)
        return;
    free(tree->nodes);
    free(tree->tokens);
    free(tree->buckets);
    free(tree);
}

/* --- the list of leaves that nobody holds --- */

static void unlist(struct den_prefix_tree *tree, int32_t page)
{
    struct node *node = &tree->nodes[page];

    if (!node->is_listed)
        return;
    *(node->older >= 0 ? &tree->nodes[node->older].newer : &tree->oldest) = node->newer;
    *(node->newer >= 0 ? &tree->nodes[node->newer].older : &tree->newest) = node->older;
    node->is_listed = false;
}

/* Puts it behind `older` (DEN_PREFIX_ROOT: at the front). */
static void list_behind(struct den_prefix_tree *tree, int32_t page, int32_t older)
{
    struct node *node = &tree->nodes[page];

    node->older = older;
    node->newer = older >= 0 ? tree->nodes[older].newer : tree->oldest;
    *(node->older >= 0 ? &tree->nodes[node->older].newer : &tree->oldest) = page;
    *(node->newer >= 0 ? &tree->nodes[node->newer].older : &tree->newest) = page;
    node->is_listed = true;
}

/* --- links in the tree --- */

static int32_t *first_child_of(struct den_prefix_tree *tree, int32_t parent)
{
    return parent == DEN_PREFIX_ROOT ? &tree->root_child : &tree->nodes[parent].first_child;
}

static void link_child(struct den_prefix_tree *tree, int32_t parent, int32_t page)
{
    struct node *node = &tree->nodes[page];
    int32_t *first = first_child_of(tree, parent), *bucket = bucket_of(tree, node->path);

    node->parent = parent;
    node->previous_sibling = DEN_PREFIX_ROOT;
    node->next_sibling = *first;
    if (*first >= 0)
        tree->nodes[*first].previous_sibling = page;
    *first = page;
    node->next_in_bucket = *bucket;
    *bucket = page;
    node->is_known = true;
    tree->counts.known++;
    if (parent >= 0)
        unlist(tree, parent); /* no leaf any more */
}

static void unlink_child(struct den_prefix_tree *tree, int32_t page)
{
    struct node *node = &tree->nodes[page];
    int32_t *link = bucket_of(tree, node->path);

    while (*link != page)
        link = &tree->nodes[*link].next_in_bucket;
    *link = node->next_in_bucket;
    if (node->previous_sibling >= 0)
        tree->nodes[node->previous_sibling].next_sibling = node->next_sibling;
    else
        *first_child_of(tree, node->parent) = node->next_sibling;
    if (node->next_sibling >= 0)
        tree->nodes[node->next_sibling].previous_sibling = node->previous_sibling;
    tree->marked -= node->is_marked;
    node->is_marked = false;
    node->is_known = false;
    tree->counts.known--;
}

/* --- eviction --- */

static void free_page(struct den_prefix_tree *tree, int32_t page)
{
    tree->nodes[page].next_in_bucket = tree->free_page;
    tree->free_page = page;
    tree->counts.free++;
}

/* A parent that became a leaf. */
static void list_by_use(struct den_prefix_tree *tree, int32_t page)
{
    int32_t older = DEN_PREFIX_ROOT, next = tree->oldest;

    while (next >= 0 && tree->nodes[next].used_at < tree->nodes[page].used_at) {
        older = next;
        next = tree->nodes[next].newer;
    }
    list_behind(tree, page, older);
}

/* False: there is nothing to evict. */
static bool evict_oldest(struct den_prefix_tree *tree)
{
    int32_t page = tree->oldest, parent;

    if (page < 0)
        return false;
    parent = tree->nodes[page].parent;
    unlist(tree, page);
    unlink_child(tree, page);
    tree->evicted[tree->nodes[page].path & (EVICTED_REMEMBERED - 1)] = tree->nodes[page].path;
    tree->counts.unused--;
    tree->counts.evicted++;
    free_page(tree, page);
    if (parent >= 0 && tree->nodes[parent].first_child < 0 && tree->nodes[parent].holders == 0)
        list_by_use(tree, parent);
    return true;
}

/* --- holders --- */

int32_t den_prefix_tree_take(struct den_prefix_tree *tree)
{
    int32_t page;

    if (tree->free_page < 0 && !evict_oldest(tree))
        return DEN_PREFIX_ROOT;
    page = tree->free_page;
    tree->free_page = tree->nodes[page].next_in_bucket;
    tree->counts.free--;
    tree->nodes[page] = (struct node){ .parent = DEN_PREFIX_ROOT,
                                       .first_child = DEN_PREFIX_ROOT,
                                       .next_sibling = DEN_PREFIX_ROOT,
                                       .previous_sibling = DEN_PREFIX_ROOT,
                                       .next_in_bucket = DEN_PREFIX_ROOT,
                                       .holders = 1 };
    return page;
}

void den_prefix_tree_hold(struct den_prefix_tree *tree, int32_t page)
{
    struct node *node = &tree->nodes[page];

    if (node->holders++ > 0)
        return;
    tree->counts.unused--;
    unlist(tree, page);
}

void den_prefix_tree_release(struct den_prefix_tree *tree, int32_t page)
{
    struct node *node = &tree->nodes[page];

    if (--node->holders > 0)
        return;
    if (!node->is_known) {
        free_page(tree, page);
        return;
    }
    node->used_at = ++tree->clock;
    tree->counts.unused++;
    if (node->first_child < 0)
        list_behind(tree, page, tree->newest);
    while (tree->counts.unused > tree->unused_max && evict_oldest(tree))
        continue;
}

bool den_prefix_tree_has(const struct den_prefix_tree *tree, int32_t page)
{
    return tree->nodes[page].is_known;
}

/* --- finding and adding --- */

static int32_t find_path(const struct den_prefix_tree *tree, int32_t parent, uint64_t path,
                         const int32_t *tokens)
{
    int32_t page = *bucket_of(tree, path);

    while (page >= 0 &&
           (tree->nodes[page].path != path || tree->nodes[page].parent != parent ||
            memcmp(tokens_of(tree, page), tokens, tree->page_tokens * sizeof *tokens) != 0))
        page = tree->nodes[page].next_in_bucket;
    return page;
}

int32_t den_prefix_tree_find(const struct den_prefix_tree *tree, int32_t parent,
                             const int32_t *tokens)
{
    return find_path(tree, parent, path_of(tree, parent, tokens), tokens);
}

int32_t den_prefix_tree_add(struct den_prefix_tree *tree, int32_t parent, const int32_t *tokens,
                            int32_t page)
{
    uint64_t path = path_of(tree, parent, tokens);
    int32_t found = find_path(tree, parent, path, tokens);

    if (found >= 0) {
        den_prefix_tree_hold(tree, found);
        den_prefix_tree_release(tree, page);
        return found;
    }
    tree->nodes[page].path = path;
    memcpy(tokens_of(tree, page), tokens, tree->page_tokens * sizeof *tokens);
    link_child(tree, parent, page);
    return page;
}

bool den_prefix_tree_withdraw(struct den_prefix_tree *tree, int32_t page)
{
    const struct node *node = &tree->nodes[page];

    if (!node->is_known || node->holders != 1 || node->first_child >= 0)
        return false;
    unlink_child(tree, page); /* its parent is held by the same holder: it need not be listed */
    return true;
}

int32_t den_prefix_tree_closest(const struct den_prefix_tree *tree, int32_t parent,
                                const int32_t *tokens, size_t count, size_t *out_common)
{
    int32_t best = DEN_PREFIX_ROOT, child;
    size_t most = 0;

    if (count > tree->page_tokens)
        count = tree->page_tokens;
    child = parent == DEN_PREFIX_ROOT ? tree->root_child : tree->nodes[parent].first_child;
    for (; child >= 0; child = tree->nodes[child].next_sibling) {
        const int32_t *held = tokens_of(tree, child);
        size_t common = 0;

        while (common < count && held[common] == tokens[common])
            common++;
        if (common > most) {
            most = common;
            best = child;
        }
    }
    *out_common = most;
    return best;
}

bool den_prefix_tree_had(const struct den_prefix_tree *tree, int32_t parent, const int32_t *tokens)
{
    uint64_t path = path_of(tree, parent, tokens);

    return tree->evicted[path & (EVICTED_REMEMBERED - 1)] == path;
}

int32_t den_prefix_tree_parent(const struct den_prefix_tree *tree, int32_t page)
{
    return tree->nodes[page].parent;
}

const int32_t *den_prefix_tree_tokens(const struct den_prefix_tree *tree, int32_t page)
{
    return tokens_of(tree, page);
}

/* --- marks --- */

void den_prefix_tree_mark(struct den_prefix_tree *tree, int32_t page, bool is_marked)
{
    struct node *node = &tree->nodes[page];

    tree->marked += (size_t)is_marked - (size_t)node->is_marked;
    node->is_marked = is_marked;
}

int32_t den_prefix_tree_marked(struct den_prefix_tree *tree)
{
    size_t i;

    for (i = 0; i < tree->pages && tree->marked > 0; i++) {
        size_t page = (tree->mark_cursor + i) % tree->pages;

        if (tree->nodes[page].is_marked) {
            tree->mark_cursor = page;
            return (int32_t)page;
        }
    }
    return DEN_PREFIX_ROOT;
}

/* --- figures and checks --- */

struct den_prefix_tree_counts den_prefix_tree_counts(const struct den_prefix_tree *tree)
{
    return tree->counts;
}

/* A page in the tree hangs where its links say. */
static bool is_node_sound(const struct den_prefix_tree *tree, int32_t page)
{
    const struct node *node = &tree->nodes[page];
    bool is_leaf = node->first_child < 0;
    int32_t child = node->parent < 0 ? tree->root_child : tree->nodes[node->parent].first_child;

    if (node->parent >= 0 && (!tree->nodes[node->parent].is_known ||
                              tree->nodes[node->parent].holders < (node->holders > 0)))
        return false;
    while (child >= 0 && child != page)
        child = tree->nodes[child].next_sibling;
    return child == page && node->is_listed == (is_leaf && node->holders == 0) &&
           node->path == path_of(tree, node->parent, tokens_of(tree, page)) &&
           den_prefix_tree_find(tree, node->parent, tokens_of(tree, page)) == page;
}

static bool is_list_sound(const struct den_prefix_tree *tree, size_t listed)
{
    int32_t page = tree->oldest, before = DEN_PREFIX_ROOT;
    size_t count = 0;

    for (; page >= 0; before = page, page = tree->nodes[page].newer, count++)
        if (count > listed || !tree->nodes[page].is_listed || tree->nodes[page].older != before ||
            (before >= 0 && tree->nodes[before].used_at > tree->nodes[page].used_at))
            return false;
    return count == listed && tree->newest == before;
}

bool den_prefix_tree_is_sound(const struct den_prefix_tree *tree)
{
    size_t known = 0, unused = 0, listed = 0, marked = 0, unheld = 0, chained = 0, i;
    int32_t page;

    for (i = 0; i < tree->pages; i++) {
        const struct node *node = &tree->nodes[i];

        known += node->is_known;
        unused += node->is_known && node->holders == 0;
        unheld += !node->is_known && node->holders == 0;
        listed += node->is_listed;
        marked += node->is_marked;
        if (node->is_known ? !is_node_sound(tree, (int32_t)i) : node->is_marked || node->is_listed)
            return false;
    }
    for (page = tree->free_page; page >= 0 && chained <= tree->pages; chained++)
        page = tree->nodes[page].next_in_bucket;
    return known == tree->counts.known && unused == tree->counts.unused && marked == tree->marked &&
           unheld == tree->counts.free && chained == unheld && unused <= tree->unused_max &&
           is_list_sound(tree, listed);
}
