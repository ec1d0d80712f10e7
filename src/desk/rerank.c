/* See rerank.h: ways by name, and what becomes of the order. */
#include "desk/rerank.h"

#include <string.h>

/* Of a model's score in the mix, the rest being the search's. Cross-encoders are known to rank
 * better than what feeds them, but none was at hand to measure the share with. A language model of
 * 135M makes every mix worse than the search was, so its word is small: docs/internals/space.md. */
static const double CROSS_ENCODER_SHARE = 0.7;
static const double LANGUAGE_MODEL_SHARE = 0.2;

enum den_status den_rerank_way_read(const char *text, enum den_rerank_way *out,
                                    struct den_error *err)
{
    static const char *const names[] = { [DEN_RERANK_AUTO] = "auto",
                                         [DEN_RERANK_OFF] = "off",
                                         [DEN_RERANK_CROSS_ENCODER] = "cross_encoder",
                                         [DEN_RERANK_LANGUAGE_MODEL] = "language_model" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum den_rerank_way)i;
            return DEN_OK;
        }
    return den_fail(err, DEN_INVALID,
                    "'rerank' must be 'auto', 'off', 'cross_encoder' or 'language_model'");
}

size_t den_rerank_candidates(enum den_rerank_way way)
{
    return way == DEN_RERANK_LANGUAGE_MODEL ? DEN_RERANK_LATE_CANDIDATES : DEN_RERANK_CANDIDATES;
}

struct range {
    double least, most;
};

static struct range range_of(const double *values, size_t count)
{
    struct range range = { values[0], values[0] };
    size_t i;

    for (i = 1; i < count; i++) {
        if (values[i] < range.least)
            range.least = values[i];
        if (values[i] > range.most)
            range.most = values[i];
    }
    return range;
}

static double scaled(struct range range, double value)
{
    return range.most > range.least ? (value - range.least) / (range.most - range.least) : 0;
}

void den_rerank_order(enum den_rerank_way way, const double *before, const double *scores,
                      size_t count, size_t *order)
{
    const double share =
        way == DEN_RERANK_CROSS_ENCODER ? CROSS_ENCODER_SHARE : LANGUAGE_MODEL_SHARE;
    struct range search, model;
    size_t i, place;

    if (count == 0)
        return;
    search = range_of(before, count);
    model = range_of(scores, count);
    for (i = 0; i < count; i++) { /* some dozens: insertion keeps equals where they are */
        const double value =
            (1 - share) * scaled(search, before[i]) + share * scaled(model, scores[i]);

        for (place = i; place > 0; place--) {
            const size_t other = order[place - 1];

            if ((1 - share) * scaled(search, before[other]) +
                    share * scaled(model, scores[other]) >=
                value)
                break;
            order[place] = other;
        }
        order[place] = i;
    }
}
