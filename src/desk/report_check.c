/* See report_check.h. */
#include "desk/report_check.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "desk/sentences.h"
#include "desk/support.h"

enum {
    SENTENCES_MAX = 16,         /* of the text */
    SOURCE_SENTENCES_MAX = 512, /* of what it was made from */
    REPLACED_BYTES_MAX = 400    /* a longer sentence is no sentence, but a table */
};

struct sentence {
    const char *text;
    size_t length;
    struct den_terms terms;
};

static size_t split(const char *text, struct sentence *out, size_t capacity)
{
    struct den_sentence *places = calloc(capacity, sizeof *places);
    size_t count = 0, i;

    if (!places)
        return 0;
    count = den_sentences_split(text, strlen(text), places, capacity);
    for (i = 0; i < count; i++) {
        out[i].text = text + places[i].start;
        out[i].length = places[i].end - places[i].start;
        den_terms_read(out[i].text, out[i].length, &out[i].terms);
    }
    free(places);
    return count;
}

static bool has_number(const struct sentence *source, uint32_t number)
{
    size_t i;

    for (i = 0; i < source->terms.number_count; i++)
        if (source->terms.numbers[i] == number)
            return true;
    return false;
}

/* All its numbers stand in one sentence or in two that follow each other: those of different places
 * have nothing to do with each other. */
static bool is_true_to(const struct sentence *sentence, const struct sentence *sources,
                       size_t count)
{
    size_t i, k;

    if (sentence->terms.number_count == 0)
        return true;
    for (i = 0; i < count; i++) {
        for (k = 0; k < sentence->terms.number_count; k++)
            if (!has_number(&sources[i], sentence->terms.numbers[k]) &&
                !(i + 1 < count && has_number(&sources[i + 1], sentence->terms.numbers[k])))
                break;
        if (k == sentence->terms.number_count)
            return true;
    }
    return false;
}

/* NULL: none is like it. */
static const struct sentence *find_nearest(const struct sentence *sentence,
                                           const struct sentence *sources, size_t count)
{
    const struct sentence *nearest = NULL;
    double best = 0, share;
    size_t i;

    for (i = 0; i < count; i++) {
        share = den_support_words(&sentence->terms, &sources[i].terms, NULL);
        if (share > best && sources[i].length <= REPLACED_BYTES_MAX) {
            best = share;
            nearest = &sources[i];
        }
    }
    return nearest;
}

static void append(struct den_buffer *out, const struct sentence *sentence)
{
    size_t i;

    if (out->length > 0)
        den_buffer_append_byte(out, ' ');
    for (i = 0; i < sentence->length; i++)
        den_buffer_append_byte(out,
                               isspace((unsigned char)sentence->text[i]) ? ' ' : sentence->text[i]);
}

static bool is_there(const struct sentence *const *kept, size_t count,
                     const struct sentence *sentence)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (kept[i]->length == sentence->length &&
            memcmp(kept[i]->text, sentence->text, sentence->length) == 0)
            return true;
    return false;
}

char *den_report_check(const char *text, const char *source)
{
    struct sentence *sentences = calloc(SENTENCES_MAX, sizeof *sentences),
                    *sources = calloc(SOURCE_SENTENCES_MAX, sizeof *sources);
    const struct sentence *kept[SENTENCES_MAX];
    size_t count, source_count, kept_count = 0, i;
    struct den_buffer out;
    char *checked = NULL;

    den_buffer_init(&out, DEN_CONTENT_BYTES_MAX);
    if (sentences && sources) {
        count = split(text, sentences, SENTENCES_MAX);
        source_count = split(source, sources, SOURCE_SENTENCES_MAX);
        for (i = 0; i < count; i++) {
            const struct sentence *good = is_true_to(&sentences[i], sources, source_count)
                                              ? &sentences[i]
                                              : find_nearest(&sentences[i], sources, source_count);

            if (!good || is_there(kept, kept_count, good))
                continue;
            kept[kept_count++] = good;
            append(&out, good);
        }
        checked = out.length > 0 ? den_buffer_take(&out) : strdup("");
    }
    den_buffer_deinit(&out);
    free(sentences);
    free(sources);
    return checked;
}
