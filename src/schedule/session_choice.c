/* Which session a job gets. Whole pages of what any session has read are everybody's
 * (engine/prefix_reuse.h); a session's own is only what lies behind its last full page, up to
 * DEN_PAGE_TOKENS - 1 tokens. The one whose conversation it is will come back with a longer prompt
 * that begins with it. So a job takes the session of which it continues the last page, if that
 * spares it more tokens than it throws away; else a session that holds nothing; else the one
 * unused for the longest time. Two strangers who share only a system prompt therefore don't take
 * each other's sessions while there is a free one. */
#include "schedule/scheduler_parts.h"

static size_t common_length(const struct den_session *session, const den_token *prompt,
                            size_t prompt_count)
{
    const den_token *held = den_session_tokens(session);
    size_t length = den_session_length(session), i = 0;

    while (i < length && i < prompt_count && held[i] == prompt[i])
        i++;
    return i;
}

static bool is_worth_taking(size_t common, size_t held)
{
    size_t full_pages = held / DEN_PAGE_TOKENS * DEN_PAGE_TOKENS;

    return common >= full_pages && common - full_pages >= held - common;
}

size_t den_slots_choose(const struct slot *slots, size_t count, const den_token *prompt,
                        size_t prompt_count)
{
    size_t best = SIZE_MAX, empty = SIZE_MAX, oldest = SIZE_MAX, best_length = 0, i;

    for (i = 0; i < count; i++) {
        size_t held, common;

        if (slots[i].busy)
            continue;
        held = slots[i].session ? den_session_length(slots[i].session) : 0;
        if (held == 0) {
            empty = empty == SIZE_MAX || (slots[i].session && !slots[empty].session) ? i : empty;
            continue;
        }
        if (oldest == SIZE_MAX || slots[i].used_at < slots[oldest].used_at)
            oldest = i;
        common = common_length(slots[i].session, prompt, prompt_count);
        if (common > best_length && is_worth_taking(common, held)) {
            best = i;
            best_length = common;
        }
    }
    if (best != SIZE_MAX)
        return best;
    return empty != SIZE_MAX ? empty : oldest;
}
