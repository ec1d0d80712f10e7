/* Prefix tree: which cache page holds what, who uses it, and which may go.
 *
 * A radix tree whose edges are whole pages of tokens: a node is a page of keys and values, and the
 * path from the root to it is the text that the page continues, because keys and values depend on
 * every token before them. Node numbers are page numbers. The tree knows nothing of what a page
 * holds; it decides about page numbers only.
 *
 *     root ── page 7 "tokens 0-63" ── page 3 "64-127" ─┬─ page 9 "128-191"
 *                                                      └─ page 4 "128-191", other tokens
 *
 * A page is in one of three states: free; private (one holder, who may write it); in the tree
 * (written by nobody any more, any number of holders, none included). Who holds a page holds those
 * above it as well, so what nobody holds always ends in leaves, and leaves go first. Pages in the
 * tree that nobody holds stay as long as they are at most `unused_max` and no page is wanted; the
 * leaf whose last use is longest ago goes first.
 *
 * Costs: finding, adding and evicting a page are hash table steps plus a comparison of one page's
 * tokens. Nothing is allocated after creation. One thread uses a tree at a time. */
#ifndef DEN_ENGINE_PREFIX_TREE_H
#define DEN_ENGINE_PREFIX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct den_prefix_tree;

enum { DEN_PREFIX_ROOT = -1 }; /* the parent of a text's first page, and no page at all */

/* All pages are free. */
enum den_status den_prefix_tree_create(size_t pages, size_t page_tokens, size_t unused_max,
                                       struct den_prefix_tree **out, struct den_error *err);
void den_prefix_tree_destroy(struct den_prefix_tree *tree);

/* A private page with one holder; what nobody holds is evicted for it. DEN_PREFIX_ROOT: every page
 * is held. */
int32_t den_prefix_tree_take(struct den_prefix_tree *tree);
void den_prefix_tree_hold(struct den_prefix_tree *tree, int32_t page);
/* The last holder's release frees a private page and leaves one in the tree where it is. */
void den_prefix_tree_release(struct den_prefix_tree *tree, int32_t page);

/* True where the page is in the tree and must not be written. */
bool den_prefix_tree_has(const struct den_prefix_tree *tree, int32_t page);
/* Makes a private page, which now holds all of `tokens` (page_tokens), the child of `parent`, which
 * is in the tree or the root. If the tree has such a child, that one is returned: the caller holds
 * it instead, and `page` has been released. */
int32_t den_prefix_tree_add(struct den_prefix_tree *tree, int32_t parent, const int32_t *tokens,
                            int32_t page);
/* Takes a page out of the tree and makes it private, if it has one holder and no children. */
bool den_prefix_tree_withdraw(struct den_prefix_tree *tree, int32_t page);

/* The child of `parent` with these tokens (page_tokens), or DEN_PREFIX_ROOT. */
int32_t den_prefix_tree_find(const struct den_prefix_tree *tree, int32_t parent,
                             const int32_t *tokens);
/* The child of `parent` that begins like `tokens` (count) for longest; *out_common so many. */
int32_t den_prefix_tree_closest(const struct den_prefix_tree *tree, int32_t parent,
                                const int32_t *tokens, size_t count, size_t *out_common);
/* True where such a child was evicted not long ago. */
bool den_prefix_tree_had(const struct den_prefix_tree *tree, int32_t parent, const int32_t *tokens);

/* Of a page in the tree. */
int32_t den_prefix_tree_parent(const struct den_prefix_tree *tree, int32_t page);
const int32_t *den_prefix_tree_tokens(const struct den_prefix_tree *tree, int32_t page);

/* Marks pages in the tree that somebody (prefix_file.h) has still to look at. An evicted one loses
 * its mark. */
void den_prefix_tree_mark(struct den_prefix_tree *tree, int32_t page, bool is_marked);
/* Any marked page, or DEN_PREFIX_ROOT. */
int32_t den_prefix_tree_marked(struct den_prefix_tree *tree);

struct den_prefix_tree_counts {
    size_t free;
    size_t known;   /* in the tree */
    size_t unused;  /* of these, held by nobody */
    size_t evicted; /* ever */
};
struct den_prefix_tree_counts den_prefix_tree_counts(const struct den_prefix_tree *tree);
/* Every invariant, at a cost of a look at every page: for tests. */
bool den_prefix_tree_is_sound(const struct den_prefix_tree *tree);

#endif
