/* Sessions: timelines of cached tokens, and the step that lengthens them. See engine.h.
 *
 * A session's keys and values live in pages of DEN_PAGE_TOKENS tokens, found through its page
 * table. Pages come from the engine's prefix tree (prefix_tree.h) when tokens reach them and go
 * back when a session is truncated or ends. A page that is full goes into the tree, where other
 * sessions find it, and is written no more: a session that was cut off inside such a page goes on
 * in a copy.
 *
 * Pages enter the tree at the step after the one that filled them, so that a step whose tokens are
 * taken back at once (rejected drafts) leaves nothing behind and needs no copy.
 *
 * The pool has as many pages as all sessions' full contexts, so a step that passed its checks can't
 * run out of them: where every page is held, each has one holder, and a page with one holder and
 * nothing below it can be taken out of the tree instead of copied.
 *
 * A step changes sessions only after the model's run has succeeded: the pages taken for it are
 * given back otherwise, and what the run wrote behind a session's length is never read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_parts.h"

static size_t pages_for(size_t tokens)
{
    return (tokens + DEN_PAGE_TOKENS - 1) / DEN_PAGE_TOKENS;
}

enum den_status den_session_create(struct den_engine *engine, struct den_session **out,
                                   struct den_error *err)
{
    struct den_session *session;

    if (engine->sequences_open == engine->sequences)
        return den_fail(err, DEN_BUSY, "engine: all %zu sequences are in use", engine->sequences);
    session = calloc(1, sizeof *session);
    if (!session)
        return den_fail(err, DEN_NO_MEMORY, "engine: out of memory");
    session->engine = engine;
    session->tokens = calloc(engine->context_tokens, sizeof *session->tokens);
    session->pages = calloc(pages_for(engine->context_tokens), sizeof *session->pages);
    engine->sequences_open++; /* den_session_destroy() takes it back, also below */
    if (!session->tokens || !session->pages) {
        den_session_destroy(session);
        return den_fail(err, DEN_NO_MEMORY, "engine: out of memory");
    }
    *out = session;
    return DEN_OK;
}

/* From the end, so that of a text that nobody holds any more the end is the oldest. */
static void give_pages(struct den_session *session, size_t keep)
{
    while (session->page_count > keep)
        den_prefix_tree_release(session->engine->tree, session->pages[--session->page_count]);
    if (session->shared > session->page_count)
        session->shared = session->page_count;
}

static void take_pages(struct den_session *session, size_t count)
{
    while (session->page_count < count) {
        int32_t page = den_prefix_tree_take(session->engine->tree);

        assert(page != DEN_PREFIX_ROOT);
        session->pages[session->page_count++] = page;
    }
}

/* The page that the next token goes to may be one of the tree: then it gets a copy. */
static void own_last_page(struct den_session *session)
{
    struct den_prefix_tree *tree = session->engine->tree;
    size_t last = session->length / DEN_PAGE_TOKENS;
    int32_t page, copy;

    if (last >= session->page_count || !den_prefix_tree_has(tree, session->pages[last]))
        return;
    page = session->pages[last];
    copy = den_prefix_tree_take(tree);
    if (copy == DEN_PREFIX_ROOT) {
        bool is_ours = den_prefix_tree_withdraw(tree, page);

        assert(is_ours);
        (void)is_ours;
        return;
    }
    den_kv_pool_copy_page(session->engine->pool, page, copy);
    den_prefix_tree_release(tree, page);
    session->pages[last] = copy;
}

void den_session_share(struct den_session *session)
{
    struct den_prefix_tree *tree = session->engine->tree;

    if (session->engine->no_prefix_reuse)
        return;
    for (; (session->shared + 1) * DEN_PAGE_TOKENS <= session->length; session->shared++) {
        size_t i = session->shared;
        int32_t parent = i > 0 ? session->pages[i - 1] : DEN_PREFIX_ROOT;

        session->pages[i] = den_prefix_tree_add(tree, parent, session->tokens + i * DEN_PAGE_TOKENS,
                                                session->pages[i]);
        if (i < session->pages_to_file)
            den_prefix_tree_mark(tree, session->pages[i], true);
    }
}

void den_session_destroy(struct den_session *session)
{
    if (!session)
        return;
    if (session->tokens && session->pages)
        den_session_share(session);
    give_pages(session, 0);
    session->engine->sequences_open--;
    free(session->tokens);
    free(session->pages);
    free(session);
}

size_t den_session_length(const struct den_session *session)
{
    return session->length;
}

const den_token *den_session_tokens(const struct den_session *session)
{
    return session->tokens;
}

void den_session_truncate(struct den_session *session, size_t length)
{
    if (length >= session->length)
        return;
    session->length = length;
    give_pages(session, pages_for(length));
    if (session->shared > length / DEN_PAGE_TOKENS)
        session->shared = length / DEN_PAGE_TOKENS;
}

static enum den_status check_tokens(const struct den_engine *engine, const struct den_step *step,
                                    struct den_error *err)
{
    size_t vocabulary = den_engine_description(engine)->vocabulary;
    size_t i;

    for (i = 0; i < step->count; i++)
        if (step->tokens[i] < 0 || (size_t)step->tokens[i] >= vocabulary)
            return den_fail(err, DEN_INVALID, "engine: token %d; the vocabulary has %zu",
                            (int)step->tokens[i], vocabulary);
    return DEN_OK;
}

/* Everything that can be wrong with a step, before anything changes. */
static enum den_status check_step(struct den_engine *engine, const struct den_step *step,
                                  size_t *rows, struct den_error *err)
{
    const struct den_session *session = step->session;

    if (session->engine != engine)
        return den_fail(err, DEN_INVALID, "engine: a session of another engine");
    if (session->in_step)
        return den_fail(err, DEN_INVALID, "engine: one session twice in a step");
    if (step->count == 0)
        return den_fail(err, DEN_INVALID, "engine: a step without tokens");
    if (step->count > engine->context_tokens - session->length)
        return den_fail(err, DEN_CONTEXT_FULL,
                        "the text would be %zu tokens long; the context holds %zu",
                        session->length + step->count, engine->context_tokens);
    if (step->count > engine->batch_rows - *rows)
        return den_fail(err, DEN_INVALID, "engine: more than %zu tokens in a step",
                        engine->batch_rows);
    if (check_tokens(engine, step, err) != DEN_OK)
        return err->status;
    *rows += step->count;
    return DEN_OK;
}

static enum den_status check_steps(struct den_engine *engine, struct den_step *steps, size_t count,
                                   struct den_error *err)
{
    size_t rows = 0;
    size_t i;

    for (i = 0; i < count && err->status == DEN_OK; i++)
        if (check_step(engine, &steps[i], &rows, err) == DEN_OK)
            steps[i].session->in_step = true;
    for (i = 0; i < count; i++) /* sessions of another engine are left alone */
        if (steps[i].session->engine == engine)
            steps[i].session->in_step = false;
    if (err->status == DEN_OK && rows == 0)
        return den_fail(err, DEN_INVALID, "engine: a step without sessions");
    return err->status;
}

/* Lays the steps' tokens behind each other as rows. */
static struct den_batch fill_batch(struct den_engine *engine, const struct den_step *steps,
                                   size_t count)
{
    size_t rows = 0;
    size_t logit_count = 0;
    size_t i;
    size_t j;

    for (i = 0; i < count; i++) {
        struct den_session *session = steps[i].session;

        den_session_share(session);
        own_last_page(session);
        take_pages(session, pages_for(session->length + steps[i].count));
        engine->pages[i] = session->pages;
        for (j = 0; j < steps[i].count; j++, rows++) {
            bool wanted = !steps[i].no_logits && (steps[i].all_logits || j + 1 == steps[i].count);

            engine->tokens[rows] = steps[i].tokens[j];
            engine->positions[rows] = (int32_t)(session->length + j);
            engine->row_sequence[rows] = (int32_t)i;
            if (wanted)
                engine->logit_rows[logit_count++] = (int32_t)rows;
        }
    }
    return (struct den_batch){ .where = { .rows = rows,
                                          .position = engine->positions,
                                          .sequence = engine->row_sequence,
                                          .pages = engine->pages },
                               .tokens = engine->tokens,
                               .logit_rows = engine->logit_rows,
                               .logit_count = logit_count };
}

static void accept_step(struct den_step *step, const float **logits, size_t vocabulary)
{
    struct den_session *session = step->session;

    memcpy(session->tokens + session->length, step->tokens, step->count * sizeof *step->tokens);
    session->length += step->count;
    step->logits = NULL;
    if (step->no_logits)
        return;
    step->logits = *logits;
    *logits += (step->all_logits ? step->count : 1) * vocabulary;
}

enum den_status den_engine_step(struct den_engine *engine, struct den_step *steps, size_t count,
                                const atomic_bool *cancel, struct den_error *err)
{
    struct den_batch batch;
    const float *logits = NULL;
    size_t i;

    if (count > engine->sequences)
        return den_fail(err, DEN_INVALID, "engine: %zu sessions in a step of at most %zu", count,
                        engine->sequences);
    if (check_steps(engine, steps, count, err) != DEN_OK)
        return err->status;
    batch = fill_batch(engine, steps, count);
    batch.cancel = cancel;
    if (den_model_run(engine->model, engine->forward, engine->pool, &batch, &logits, err) !=
        DEN_OK) {
        for (i = 0; i < count; i++)
            give_pages(steps[i].session, pages_for(steps[i].session->length));
        return err->status;
    }
    for (i = 0; i < count; i++)
        accept_step(&steps[i], &logits, den_engine_description(engine)->vocabulary);
    return DEN_OK;
}
