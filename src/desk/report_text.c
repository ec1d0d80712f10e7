/* See report_text.h. */
#include "desk/report_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "desk/citations.h"
#include "desk/sentences.h"
#include "desk/support.h"

enum { SENTENCES_MAX = 64 /* of one text to be cited */, HITS = 3 /* for each of them */ };

void den_report_text_init(struct den_report_text *out)
{
    *out = (struct den_report_text){ .passages = json_array(), .citations = json_array() };
    den_buffer_init(&out->text, DEN_CONTENT_BYTES_MAX);
}

void den_report_text_deinit(struct den_report_text *text)
{
    den_buffer_deinit(&text->text);
    json_decref(text->passages);
    json_decref(text->citations);
}

enum den_status den_report_text_take(struct den_report_text *text, json_t **out,
                                     struct den_error *err)
{
    json_t *result;

    if (den_buffer_status(&text->text, "the report", err) != DEN_OK)
        return err->status;
    result = json_pack("{s:s%, s:O, s:O}", "text", text->text.data, text->text.length, "passages",
                       text->passages, "citations", text->citations);
    if (!result)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    den_buffer_clear(&text->text);
    *out = result;
    return DEN_OK;
}

/* --- passages --- */

static bool is_same_place(const json_t *a, const json_t *b)
{
    static const char *const keys[] = { "document", "part", "start", "end" };
    size_t i;

    for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
            return false;
    return true;
}

size_t den_report_text_passage(struct den_report_text *text, const json_t *passage)
{
    json_t *copy;
    size_t i;

    for (i = text->first; i < json_array_size(text->passages); i++)
        if (is_same_place(json_array_get(text->passages, i), passage))
            return i + 1;
    copy = json_copy((json_t *)(uintptr_t)passage);
    if (json_object_set_new(copy, "number", json_integer((json_int_t)i + 1)) != 0 ||
        json_array_append_new(text->passages, copy) != 0)
        return 0;
    return i + 1;
}

/* --- writing --- */

static size_t count_units(const char *text, size_t length)
{
    size_t at, step, units = 0;
    uint32_t code;

    for (at = 0; at < length; at += step) {
        step = den_utf8_decode(text + at, length - at, &code);
        units += code > 0xffff ? 2 : 1;
    }
    return units;
}

void den_report_text_plain(struct den_report_text *text, const char *words)
{
    den_buffer_append_text(&text->text, words);
    text->units += count_units(words, strlen(words));
}

void den_report_text_marker(struct den_report_text *text, size_t number, double score)
{
    char marker[32];
    size_t start;

    den_report_text_plain(text, " ");
    start = text->units;
    snprintf(marker, sizeof marker, "[%zu]", number);
    den_report_text_plain(text, marker);
    json_array_append_new(text->citations,
                          json_pack("{s:I, s:I, s:[I], s:b, s:f}", "start", (json_int_t)start,
                                    "end", (json_int_t)text->units, "passages", (json_int_t)number,
                                    "supported", score >= DEN_SUPPORT_MIN, "score",
                                    round(score * 1000) / 1000));
}

/* --- looking for what supports --- */

/* The place in `near`, from 1, of a passage, which is put there if it is new. */
static size_t note_near(json_t *near, const struct den_found *found, size_t hit)
{
    json_t *passage = den_passage_json(&found->passages[hit]);
    size_t i;

    for (i = 0; i < json_array_size(near); i++)
        if (is_same_place(json_array_get(near, i), passage)) {
            json_decref(passage);
            return i + 1;
        }
    json_object_set_new(passage, "cosine",
                        isnan(found->result.hits[hit].cosine)
                            ? json_null()
                            : json_real(found->result.hits[hit].cosine));
    json_object_set_new(passage, "bm25", json_real(found->result.hits[hit].bm25));
    json_object_set_new(passage, "number", json_integer((json_int_t)i + 1));
    return json_array_append_new(near, passage) == 0 ? i + 1 : 0;
}

/* How much of the claim one of the text's sentences has. */
static double best_share(const struct den_terms *claim, const char *text)
{
    struct den_sentence places[SENTENCES_MAX];
    const size_t count = den_sentences_split(text, strlen(text), places, SENTENCES_MAX);
    struct den_terms terms;
    double best = 0, score;
    size_t i;

    for (i = 0; i < count; i++) {
        den_terms_read(text + places[i].start, places[i].end - places[i].start, &terms);
        score = den_support_score(claim, &terms, NULL, (double)NAN);
        if (score > best)
            best = score;
    }
    return best;
}

/* The nearest passages of a sentence, into `near`; *out_number is that of the one that has most of
 * its words, 0: there is none. */
static enum den_status find_near(const struct den_report_sources *sources, const char *sentence,
                                 json_t *near, size_t *out_number, struct den_error *err)
{
    const struct den_retrieval_query query = {
        .query = sentence,
        .filter = { .documents = sources->documents, .document_count = sources->document_count },
        .count = HITS,
        .diversity = 0,
        .rerank = DEN_RERANK_OFF
    };
    struct den_found found = { 0 };
    struct den_terms claim;
    double best = -1, share;
    size_t i, number;

    *out_number = 0;
    den_terms_read(sentence, strlen(sentence), &claim);
    if (den_retrieval_search(sources->retrieval, &query, &found, err) == DEN_INVALID)
        *err = (struct den_error){ 0 }; /* nothing that can be looked for */
    for (i = 0; err->status == DEN_OK && i < found.result.count; i++) {
        number = note_near(near, &found, i);
        share = best_share(&claim, found.passages[i].text);
        if (share > best) {
            best = share;
            *out_number = number;
        }
    }
    den_found_deinit(&found);
    return err->status;
}

static enum den_status embed(void *context, const char *const *texts, size_t count, float **out,
                             size_t *out_width, struct den_error *err)
{
    return den_retrieval_embed(context, texts, count, out, out_width, err);
}

/* The sentence with the marker of its nearest passage, which is then judged. */
static enum den_status prepare(const struct den_report_sources *sources, const char *words,
                               struct den_buffer *out, json_t *near, struct den_error *err)
{
    struct den_sentence places[SENTENCES_MAX];
    const size_t count = den_sentences_split(words, strlen(words), places, SENTENCES_MAX);
    size_t i, number;

    for (i = 0; i < count && err->status == DEN_OK; i++) {
        const size_t length = places[i].end - places[i].start;
        char *sentence = strndup(words + places[i].start, length);

        if (!sentence)
            return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
        if (find_near(sources, sentence, near, &number, err) == DEN_OK) {
            den_buffer_appendf(out, "%s%s", i > 0 ? " " : "", sentence);
            if (number > 0)
                den_buffer_appendf(out, " [%zu]", number);
        }
        free(sentence);
    }
    return err->status;
}

/* The byte that so many UTF-16 code units of `text` lie before. */
static size_t byte_at(const char *text, size_t units)
{
    const size_t length = strlen(text);
    size_t at = 0, counted = 0;
    uint32_t code;

    while (at < length && counted < units) {
        at += den_utf8_decode(text + at, length - at, &code);
        counted += code > 0xffff ? 2 : 1;
    }
    return at;
}

static void append_bytes(struct den_report_text *text, const char *words, size_t length)
{
    den_buffer_append(&text->text, words, length);
    text->units += count_units(words, length);
}

/* Its markers get the numbers that their passages have in the whole; only those are taken over. */
static void add_cited(struct den_report_text *text, const struct den_cited *cited,
                      const json_t *near)
{
    json_t *citation;
    size_t i, from = 0, start;

    json_array_foreach(cited->citations, i, citation)
    {
        const json_int_t number =
            json_integer_value(json_array_get(json_object_get(citation, "passages"), 0));

        start =
            byte_at(cited->content, (size_t)json_integer_value(json_object_get(citation, "start")));
        append_bytes(text, cited->content + from,
                     start > from && cited->content[start - 1] == ' ' ? start - 1 - from
                                                                      : start - from);
        den_report_text_marker(
            text, den_report_text_passage(text, json_array_get(near, (size_t)number - 1)),
            json_number_value(json_object_get(citation, "score")));
        from =
            byte_at(cited->content, (size_t)json_integer_value(json_object_get(citation, "end")));
    }
    den_report_text_plain(text, cited->content + from);
}

enum den_status den_report_text_cited(struct den_report_text *text,
                                      const struct den_report_sources *sources, const char *words,
                                      struct den_error *err)
{
    const struct den_citation_embedder embedder = { .context = sources->retrieval, .embed = embed };
    struct den_cited cited = { 0 };
    json_t *near = json_array();
    struct den_buffer marked;

    den_buffer_init(&marked, DEN_CONTENT_BYTES_MAX);
    if (prepare(sources, words, &marked, near, err) == DEN_OK &&
        den_buffer_status(&marked, "the report", err) == DEN_OK) {
        if (json_array_size(near) == 0)
            den_report_text_plain(text, words);
        else if (den_citations_make(marked.data, near, &embedder, &cited, err) == DEN_OK)
            add_cited(text, &cited, near);
        den_cited_deinit(&cited);
    }
    json_decref(near);
    den_buffer_deinit(&marked);
    return err->status;
}
