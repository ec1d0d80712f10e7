/* See prefix_reuse.h. */
#include "engine/prefix_reuse.h"

#include <string.h>

#include "engine/engine_parts.h"
#include "engine/prefix_keep.h"

/* A part of a page is copied from so many tokens on: copying moves a whole page. */
enum { COPIED_TOKENS_MIN = 8 };

const char *den_prefix_miss_text(enum den_prefix_miss miss)
{
    static const char *const texts[DEN_PREFIX_MISSES] = {
        [DEN_PREFIX_NO_MISS] = "none",    [DEN_PREFIX_FIRST_USE] = "first use",
        [DEN_PREFIX_ENDS] = "ends",       [DEN_PREFIX_DIFFERS] = "differs",
        [DEN_PREFIX_EVICTED] = "evicted",
    };

    return (unsigned)miss < DEN_PREFIX_MISSES ? texts[miss] : "";
}

static size_t common_length(const den_token *a, const den_token *b, size_t most)
{
    size_t i = 0;

    while (i < most && a[i] == b[i])
        i++;
    return i;
}

/* The node under which the page of token `length` (a multiple of a page) hangs. */
static int32_t parent_at(const struct den_session *session, size_t length)
{
    return length > 0 ? session->pages[length / DEN_PAGE_TOKENS - 1] : DEN_PREFIX_ROOT;
}

/* --- whole pages --- */

/* Whole pages of the first `most` tokens go to engine->found, each held. */
static size_t find_pages(struct den_engine *engine, const den_token *prompt, size_t most)
{
    int32_t parent = DEN_PREFIX_ROOT;
    size_t count = 0;

    for (; (count + 1) * DEN_PAGE_TOKENS <= most; count++) {
        int32_t page = den_prefix_tree_find(engine->tree, parent, prompt + count * DEN_PAGE_TOKENS);

        if (page == DEN_PREFIX_ROOT)
            return count + den_engine_load_prefix(engine, prompt, count, most);
        den_prefix_tree_hold(engine->tree, page);
        engine->found[count] = parent = page;
    }
    return count;
}

static void let_go(struct den_engine *engine, size_t count)
{
    while (count > 0)
        den_prefix_tree_release(engine->tree, engine->found[--count]);
}

/* The session then holds the pages found, and no others. */
static void adopt_pages(struct den_session *session, const den_token *prompt, size_t count)
{
    den_session_truncate(session, 0);
    memcpy(session->pages, session->engine->found, count * sizeof *session->pages);
    memcpy(session->tokens, prompt, count * DEN_PAGE_TOKENS * sizeof *prompt);
    session->page_count = session->shared = count;
    session->length = count * DEN_PAGE_TOKENS;
}

/* --- parts of pages --- */

/* The session goes on with a copy of `page`, of which it takes `common` tokens. */
static void copy_part(struct den_session *session, const den_token *prompt, int32_t page,
                      size_t common)
{
    struct den_engine *engine = session->engine;
    int32_t copy;

    den_prefix_tree_hold(engine->tree, page); /* taking another must not evict it */
    copy = den_prefix_tree_take(engine->tree);
    if (copy != DEN_PREFIX_ROOT) {
        den_kv_pool_copy_page(engine->pool, page, copy);
        session->pages[session->page_count++] = copy;
        memcpy(session->tokens + session->length, prompt + session->length,
               common * sizeof *prompt);
        session->length += common;
    }
    den_prefix_tree_release(engine->tree, page);
}

/* Looks into the pages that could come next, and says how far they agree with the prompt. */
static size_t take_part(struct den_session *session, const den_token *prompt, size_t most)
{
    size_t base = session->length / DEN_PAGE_TOKENS * DEN_PAGE_TOKENS, common;
    int32_t page = den_prefix_tree_closest(session->engine->tree, parent_at(session, base),
                                           prompt + base, most - base, &common);

    if (page != DEN_PREFIX_ROOT && base + common >= session->length + COPIED_TOKENS_MIN) {
        den_session_truncate(session, base);
        copy_part(session, prompt, page, common);
    }
    return base + common;
}

/* --- a prompt begins --- */

/* So many pages of the session are to be in the prefix file: these now, the others when they are
 * full. */
static void mark_for_file(struct den_session *session, size_t pages)
{
    size_t i;

    session->pages_to_file = pages;
    for (i = 0; i < pages && i < session->shared; i++)
        den_prefix_tree_mark(session->engine->tree, session->pages[i], true);
}

struct den_prefix_outcome den_session_begin(struct den_session *session, const den_token *prompt,
                                            size_t count)
{
    struct den_engine *engine = session->engine;
    struct den_prefix_outcome out = { 0 };
    size_t most = count - 1, held, own, found, known, base;

    if (engine->no_prefix_reuse)
        den_session_truncate(session, 0);
    session->pages_to_file = 0;
    den_session_share(session);
    held = session->length;
    own = common_length(session->tokens, prompt, most < held ? most : held);
    found = find_pages(engine, prompt, most);
    if (found * DEN_PAGE_TOKENS > own) {
        adopt_pages(session, prompt, found);
    } else {
        let_go(engine, found);
        den_session_truncate(session, own);
    }
    known = take_part(session, prompt, most);
    if (count >= DEN_PREFIX_PROMPT_MIN && engine->prefix_file)
        mark_for_file(session, count / DEN_PAGE_TOKENS);
    out.cached = session->length;
    out.at = out.cached > known ? out.cached : known;
    base = out.cached / DEN_PAGE_TOKENS * DEN_PAGE_TOKENS;
    if (out.cached == most)
        out.miss = DEN_PREFIX_NO_MISS;
    else if (base + DEN_PAGE_TOKENS <= count &&
             den_prefix_tree_had(engine->tree, parent_at(session, base), prompt + base))
        out.miss = DEN_PREFIX_EVICTED;
    else if (out.at == 0)
        out.miss = DEN_PREFIX_FIRST_USE;
    else
        out.miss =
            known > base || (own < held && own >= out.at) ? DEN_PREFIX_DIFFERS : DEN_PREFIX_ENDS;
    return out;
}

/* --- prompts side by side --- */

size_t den_session_catch_up(struct den_session *session, const den_token *prompt, size_t count)
{
    struct den_prefix_tree *tree = session->engine->tree;

    den_session_share(session);
    if (session->length % DEN_PAGE_TOKENS != 0)
        return session->length;
    while (session->length + DEN_PAGE_TOKENS < count) {
        int32_t page = den_prefix_tree_find(tree, parent_at(session, session->length),
                                            prompt + session->length);

        if (page == DEN_PREFIX_ROOT)
            break;
        den_prefix_tree_hold(tree, page);
        session->pages[session->page_count++] = page;
        session->shared++;
        memcpy(session->tokens + session->length, prompt + session->length,
               DEN_PAGE_TOKENS * sizeof *prompt);
        session->length += DEN_PAGE_TOKENS;
    }
    return session->length;
}

bool den_session_follows(const struct den_reading *reading, const struct den_reading *leader)
{
    const struct den_session *session = reading->session, *other = leader->session;
    size_t length = session->length;

    return !session->engine->no_prefix_reuse && length % DEN_PAGE_TOKENS == 0 &&
           other->length >= length && other->shared >= length / DEN_PAGE_TOKENS &&
           other->length < length + DEN_PAGE_TOKENS && leader->count >= length + DEN_PAGE_TOKENS &&
           reading->count > length + DEN_PAGE_TOKENS &&
           parent_at(session, length) == parent_at(other, length) &&
           memcmp(reading->prompt + length, leader->prompt + length,
                  DEN_PAGE_TOKENS * sizeof *reading->prompt) == 0;
}
