/* The prefix tree beside a naive model of it: 10,000 random steps of sessions that begin, grow, are
 * cut and end. The model keeps plain records and looks at all of them each time; after every
 * step both must know the same pages, hold them as often, and have evicted the same ones. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "engine/prefix_tree.h"

enum { PAGES = 24, TOKENS = 2, DEPTH = 5, SESSIONS = 6, UNUSED = 7, STEPS = 10000 };

struct record {
    bool is_known;
    int32_t parent, tokens[TOKENS];
    int holders;
    unsigned long used;
};

struct text {
    int32_t pages[DEPTH];
    int32_t tokens[DEPTH * TOKENS];
    size_t count; /* pages */
};

struct model {
    struct den_prefix_tree *tree;
    struct record records[PAGES];
    unsigned long clock, evicted;
    uint32_t random;
};

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random = model->random * 1664525u + 1013904223u;
    return (model->random >> 12) % below;
}

static size_t count_if(const struct model *model, bool is_known, bool is_held)
{
    size_t count = 0, i;

    for (i = 0; i < PAGES; i++)
        count +=
            model->records[i].is_known == is_known && (model->records[i].holders > 0) == is_held;
    return count;
}

static bool is_leaf(const struct model *model, int32_t page)
{
    size_t i;

    for (i = 0; i < PAGES; i++)
        if (model->records[i].is_known && model->records[i].parent == page)
            return false;
    return true;
}

static void evict(struct model *model)
{
    int32_t oldest = -1, i;

    for (i = 0; i < PAGES; i++)
        if (model->records[i].is_known && model->records[i].holders == 0 && is_leaf(model, i) &&
            (oldest < 0 || model->records[i].used < model->records[oldest].used))
            oldest = i;
    assert_true(oldest >= 0);
    assert_false(den_prefix_tree_has(model->tree, oldest));
    assert_true(den_prefix_tree_had(model->tree, model->records[oldest].parent,
                                    model->records[oldest].tokens));
    model->records[oldest].is_known = false;
    model->evicted++;
}

static void release(struct model *model, int32_t page)
{
    den_prefix_tree_release(model->tree, page);
    if (--model->records[page].holders > 0)
        return;
    model->records[page].used = ++model->clock;
    while (count_if(model, true, false) > UNUSED)
        evict(model);
}

static void cut(struct model *model, struct text *text, size_t count)
{
    while (text->count > count)
        release(model, text->pages[--text->count]);
}

static int32_t find(const struct model *model, int32_t parent, const int32_t *tokens)
{
    int32_t i;

    for (i = 0; i < PAGES; i++)
        if (model->records[i].is_known && model->records[i].parent == parent &&
            memcmp(model->records[i].tokens, tokens, sizeof model->records[i].tokens) == 0)
            return i;
    return DEN_PREFIX_ROOT;
}

static int32_t take(struct model *model)
{
    bool is_full = count_if(model, false, false) == 0;
    bool is_stuck = is_full && count_if(model, true, false) == 0;
    int32_t page = den_prefix_tree_take(model->tree);

    assert_int_equal(page == DEN_PREFIX_ROOT, is_stuck);
    if (is_stuck)
        return page;
    if (is_full)
        evict(model);
    assert_int_equal(model->records[page].holders, 0);
    assert_false(model->records[page].is_known);
    model->records[page] = (struct record){ .holders = 1 };
    return page;
}

/* A page more of the text: one that is there, or one that is made. */
static void grow(struct model *model, struct text *text)
{
    int32_t parent = text->count > 0 ? text->pages[text->count - 1] : DEN_PREFIX_ROOT;
    const int32_t *tokens = text->tokens + text->count * TOKENS;
    int32_t known = find(model, parent, tokens), page, added;

    assert_int_equal(den_prefix_tree_find(model->tree, parent, tokens), known);
    if (known != DEN_PREFIX_ROOT && draw(model, 2)) {
        den_prefix_tree_hold(model->tree, known);
        model->records[known].holders++;
        text->pages[text->count++] = known;
        return;
    }
    page = take(model);
    if (page == DEN_PREFIX_ROOT)
        return;
    known = find(model, parent, tokens); /* taking may have evicted it */
    added = den_prefix_tree_add(model->tree, parent, tokens, page);
    if (known != DEN_PREFIX_ROOT) {
        assert_int_equal(added, known);
        model->records[page].holders = 0;
        model->records[known].holders++;
    } else {
        assert_int_equal(added, page);
        model->records[page].is_known = true;
        model->records[page].parent = parent;
        memcpy(model->records[page].tokens, tokens, sizeof model->records[page].tokens);
    }
    assert_int_equal(den_prefix_tree_parent(model->tree, added), parent);
    assert_memory_equal(den_prefix_tree_tokens(model->tree, added), tokens,
                        TOKENS * sizeof *tokens);
    if (draw(model, 3) == 0)
        den_prefix_tree_mark(model->tree, added, draw(model, 2));
    text->pages[text->count++] = added;
}

/* Takes the last page out of the tree and frees it. */
static void withdraw(struct model *model, struct text *text)
{
    int32_t page;
    bool may;

    if (text->count == 0)
        return;
    page = text->pages[text->count - 1];
    may = model->records[page].holders == 1 && is_leaf(model, page);
    assert_int_equal(den_prefix_tree_withdraw(model->tree, page), may);
    if (!may)
        return;
    model->records[page].is_known = false;
    text->count--;
    release(model, page);
}

static void compare(const struct model *model)
{
    struct den_prefix_tree_counts counts = den_prefix_tree_counts(model->tree);
    int32_t i, marked = den_prefix_tree_marked(model->tree);

    assert_int_equal(counts.free, count_if(model, false, false));
    assert_int_equal(counts.unused, count_if(model, true, false));
    assert_int_equal(counts.known, counts.unused + count_if(model, true, true));
    assert_int_equal(counts.evicted, model->evicted);
    for (i = 0; i < PAGES; i++)
        assert_int_equal(den_prefix_tree_has(model->tree, i), model->records[i].is_known);
    assert_true(marked == DEN_PREFIX_ROOT || model->records[marked].is_known);
    assert_true(den_prefix_tree_is_sound(model->tree));
}

static void does_what_the_naive_model_does(void **state)
{
    static struct model model = { .random = 7 };
    struct text texts[SESSIONS] = { { .count = 0 } };
    struct den_error err = { 0 };
    size_t i, step;

    assert_int_equal(den_prefix_tree_create(PAGES, TOKENS, UNUSED, &model.tree, &err), DEN_OK);
    for (step = 0; step < STEPS; step++) {
        struct text *text = &texts[draw(&model, SESSIONS)];

        switch (draw(&model, 8)) {
        case 0: /* a new text */
            cut(&model, text, 0);
            for (i = 0; i < DEPTH * TOKENS; i++)
                text->tokens[i] = (int32_t)draw(&model, i < TOKENS ? 2 : 3) / 2;
            break;
        case 1:
            cut(&model, text, draw(&model, (uint32_t)text->count + 1));
            break;
        case 2:
            withdraw(&model, text);
            break;
        default:
            if (text->count < DEPTH)
                grow(&model, text);
        }
        compare(&model);
    }
    assert_true(model.evicted > 100);
    for (i = 0; i < SESSIONS; i++)
        cut(&model, &texts[i], 0);
    compare(&model);
    assert_int_equal(count_if(&model, true, true), 0);
    assert_int_equal(count_if(&model, false, true), 0);
    den_prefix_tree_destroy(model.tree);
}

static int32_t add(struct den_prefix_tree *tree, int32_t parent, int32_t first, int32_t second)
{
    const int32_t tokens[TOKENS] = { first, second };

    return den_prefix_tree_add(tree, parent, tokens, den_prefix_tree_take(tree));
}

static void finds_the_closest_child(void **state)
{
    const int32_t wanted[] = { 5, 6, 7 };
    struct den_prefix_tree *tree = NULL;
    struct den_error err = { 0 };
    int32_t pages[3];
    size_t common = 9;

    assert_int_equal(den_prefix_tree_create(8, TOKENS, 8, &tree, &err), DEN_OK);
    assert_int_equal(den_prefix_tree_closest(tree, DEN_PREFIX_ROOT, wanted, 3, &common),
                     DEN_PREFIX_ROOT);
    assert_int_equal(common, 0);
    pages[0] = add(tree, DEN_PREFIX_ROOT, 4, 6);
    assert_int_equal(den_prefix_tree_closest(tree, DEN_PREFIX_ROOT, wanted, 3, &common),
                     DEN_PREFIX_ROOT);
    pages[1] = add(tree, DEN_PREFIX_ROOT, 5, 9);
    assert_int_equal(den_prefix_tree_closest(tree, DEN_PREFIX_ROOT, wanted, 3, &common), pages[1]);
    assert_int_equal(common, 1);
    pages[2] = add(tree, DEN_PREFIX_ROOT, 5, 6);
    assert_int_equal(den_prefix_tree_closest(tree, DEN_PREFIX_ROOT, wanted, 3, &common), pages[2]);
    assert_int_equal(common, 2);
    assert_int_equal(den_prefix_tree_closest(tree, DEN_PREFIX_ROOT, wanted, 1, &common) < 0, false);
    assert_int_equal(common, 1);
    assert_int_equal(den_prefix_tree_closest(tree, pages[0], wanted, 3, &common), DEN_PREFIX_ROOT);
    den_prefix_tree_destroy(tree);
}

/* The same tokens under another parent are another page. */
static void tells_texts_apart_by_all_before(void **state)
{
    const int32_t tokens[] = { 1, 2 };
    struct den_prefix_tree *tree = NULL;
    struct den_error err = { 0 };
    int32_t a, b, below;

    assert_int_equal(den_prefix_tree_create(8, TOKENS, 8, &tree, &err), DEN_OK);
    a = add(tree, DEN_PREFIX_ROOT, 1, 2);
    b = add(tree, DEN_PREFIX_ROOT, 3, 4);
    below = add(tree, a, 1, 2);
    assert_int_not_equal(below, a);
    assert_int_equal(den_prefix_tree_find(tree, DEN_PREFIX_ROOT, tokens), a);
    assert_int_equal(den_prefix_tree_find(tree, a, tokens), below);
    assert_int_equal(den_prefix_tree_find(tree, b, tokens), DEN_PREFIX_ROOT);
    assert_false(den_prefix_tree_withdraw(tree, a));
    assert_int_equal(add(tree, a, 1, 2), below); /* a second holder */
    assert_false(den_prefix_tree_withdraw(tree, below));
    den_prefix_tree_release(tree, below);
    assert_true(den_prefix_tree_withdraw(tree, below));
    assert_true(den_prefix_tree_withdraw(tree, a));
    assert_true(den_prefix_tree_is_sound(tree));
    den_prefix_tree_destroy(tree);
}

static void refuses_what_makes_no_tree(void **state)
{
    struct den_prefix_tree *tree = NULL;
    struct den_error err = { 0 };

    assert_int_equal(den_prefix_tree_create(0, TOKENS, 8, &tree, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    assert_int_equal(den_prefix_tree_create(8, 0, 8, &tree, &err), DEN_INVALID);
    err = (struct den_error){ 0 };
    assert_int_equal(den_prefix_tree_create(SIZE_MAX, TOKENS, 8, &tree, &err), DEN_INVALID);
    assert_null(tree);
    den_prefix_tree_destroy(NULL);
}

int engine_test_prefix_tree(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_the_naive_model_does),
        cmocka_unit_test(finds_the_closest_child),
        cmocka_unit_test(tells_texts_apart_by_all_before),
        cmocka_unit_test(refuses_what_makes_no_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
