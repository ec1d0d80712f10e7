/* See report_choice.h. */
#include "desk/report_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "desk/sentences.h"
#include "desk/support.h"

static const double COSINE_FOUND = 0.43, COSINE_LIKELY = 0.3, WORDS_FOUND = 0.6;
enum { WORDS_MIN = 2 /* of a description, for its words alone to be enough */ };

void den_choice_deinit(struct den_choice *choice)
{
    size_t i;

    for (i = 0; i < choice->count; i++)
        free(choice->sentences[i].text);
    choice->count = 0;
}

static enum den_status add_sentences(struct den_choice *out, const char *text, size_t passage,
                                     const struct den_terms *wanted, struct den_error *err)
{
    struct den_sentence places[DEN_CHOICE_MAX];
    const size_t count = den_sentences_split(text, strlen(text), places, DEN_CHOICE_MAX);
    struct den_terms terms;
    size_t i;

    for (i = 0; i < count && out->count < DEN_CHOICE_MAX; i++) {
        const size_t length = places[i].end - places[i].start;
        char *copy = strndup(text + places[i].start, length);

        if (!copy)
            return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
        den_terms_read(copy, length, &terms);
        out->sentences[out->count++] =
            (struct den_chosen){ .text = copy,
                                 .passage = passage,
                                 .words = den_support_words(wanted, &terms, NULL),
                                 .cosine = (double)NAN };
    }
    return DEN_OK;
}

static double product(const float *a, const float *b, size_t width)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < width; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Without a model that embeds, words alone decide. */
static enum den_status add_cosines(struct den_retrieval *retrieval, const char *description,
                                   struct den_choice *out, struct den_error *err)
{
    const char *texts[DEN_CHOICE_MAX + 1];
    float *vectors = NULL;
    size_t width = 0, i;

    texts[0] = description;
    for (i = 0; i < out->count; i++)
        texts[i + 1] = out->sentences[i].text;
    if (out->count == 0 ||
        den_retrieval_embed(retrieval, texts, out->count + 1, &vectors, &width, err) != DEN_OK) {
        if (err->status == DEN_NOT_FOUND || err->status == DEN_INVALID ||
            err->status == DEN_UNSUPPORTED)
            *err = (struct den_error){ 0 };
        return err->status;
    }
    for (i = 0; i < out->count; i++)
        out->sentences[i].cosine = product(vectors, vectors + (i + 1) * width, width);
    free(vectors);
    return DEN_OK;
}

static int by_score(const void *left, const void *right)
{
    const struct den_chosen *a = left, *b = right;

    return a->score > b->score ? -1 : a->score < b->score;
}

/* Before they are ordered: the best by words need not be the best by meaning. */
static bool is_found(const struct den_choice *choice, const struct den_found *found,
                     const struct den_terms *wanted)
{
    const bool has_words = wanted->word_count + wanted->number_count >= WORDS_MIN;
    double words = 0, cosine = -1;
    size_t i;

    for (i = 0; i < choice->count; i++) {
        if (choice->sentences[i].words > words)
            words = choice->sentences[i].words;
        if (choice->sentences[i].cosine > cosine) /* never, where it is NAN */
            cosine = choice->sentences[i].cosine;
    }
    if (cosine < 0 && (choice->count == 0 || isnan(choice->sentences[0].cosine)))
        return found->found || (has_words && words >= WORDS_FOUND);
    return cosine >= COSINE_FOUND ||
           (cosine >= COSINE_LIKELY && (found->found || (has_words && words >= WORDS_FOUND)));
}

enum den_status den_report_choose(struct den_retrieval *retrieval, const struct den_found *found,
                                  const char *description, struct den_choice *out,
                                  struct den_error *err)
{
    struct den_terms wanted;
    size_t i;

    out->count = 0;
    out->found = false;
    den_terms_read(description, strlen(description), &wanted);
    for (i = 0; i < found->result.count && err->status == DEN_OK; i++)
        add_sentences(out, found->passages[i].text, i, &wanted, err);
    if (err->status == DEN_OK)
        add_cosines(retrieval, description, out, err);
    if (err->status != DEN_OK) {
        den_choice_deinit(out);
        return err->status;
    }
    out->found = is_found(out, found, &wanted);
    for (i = 0; i < out->count; i++) {
        struct den_chosen *sentence = &out->sentences[i];

        sentence->score = isnan(sentence->cosine)
                              ? sentence->words
                              : 0.4 * sentence->words + 0.6 * fmax(sentence->cosine, 0);
    }
    qsort(out->sentences, out->count, sizeof out->sentences[0], by_score);
    return DEN_OK;
}
