/* See citations.h. */
#include "desk/citations.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "desk/sentences.h"
#include "desk/support.h"

enum {
    SENTENCES_MAX = 2000,         /* of an answer; what follows stays as it is */
    PASSAGE_SENTENCES_MAX = 1000, /* of a passage: a page has fifty */
    PIECES_MAX = 6000,            /* of all passages */
    EMBED_ALL = 64,               /* so few pieces are all embedded ... */
    CANDIDATES = 6,               /* of more, those that share most words with a claim */
    TERMS_MIN = 2                 /* a claim says at least so much */
};

/* One or two sentences of a passage. */
struct piece {
    size_t passage; /* index */
    const char *text;
    size_t length;
    size_t vector; /* 0: none; else its place plus one */
    struct den_terms terms;
};

struct passage {
    size_t number;
    struct den_terms around; /* of all of it, with title and heading */
};

/* A sentence of the answer. */
struct claim {
    struct den_sentence place;
    char *bare;      /* without the markers in it: "... in 2029 [1]." says nothing of 1 */
    size_t given[8]; /* numbers that the model wrote */
    size_t given_count;
    bool is_claim;
    size_t candidates[CANDIDATES * 2];
    size_t candidate_count;
    size_t vector;
    struct den_terms terms;
};

struct work {
    const char *content;
    struct passage *passages;
    size_t passage_count;
    struct piece *pieces;
    size_t piece_count;
    struct claim *claims;
    size_t claim_count;
    const char **texts; /* to be embedded */
    size_t text_count;
    float *vectors; /* (text_count, width); NULL: words alone decide */
    size_t width;
};

static void free_work(struct work *work)
{
    size_t i;

    for (i = 0; i < work->text_count; i++)
        free((void *)(uintptr_t)work->texts[i]);
    free(work->texts);
    free(work->vectors);
    for (i = 0; i < work->claim_count; i++)
        free(work->claims[i].bare);
    free(work->passages);
    free(work->pieces);
    free(work->claims);
}

/* --- passages --- */

static void add_piece(struct work *work, size_t passage, const char *text, size_t length)
{
    struct piece *piece;

    if (work->piece_count == PIECES_MAX)
        return;
    piece = &work->pieces[work->piece_count++];
    *piece = (struct piece){ .passage = passage, .text = text, .length = length };
    den_terms_read(text, length, &piece->terms);
}

static void add_pieces(struct work *work, size_t index, const char *text,
                       struct den_sentence *sentences)
{
    const size_t count = den_sentences_split(text, strlen(text), sentences, PASSAGE_SENTENCES_MAX);
    size_t i;

    for (i = 0; i < count; i++) {
        add_piece(work, index, text + sentences[i].start,
                  sentences[i].markers_end - sentences[i].start);
        if (i + 1 < count)
            add_piece(work, index, text + sentences[i].start,
                      sentences[i + 1].markers_end - sentences[i].start);
    }
}

static void read_around(const json_t *passage, struct passage *out)
{
    const char *title = json_string_value(json_object_get(passage, "title"));
    const char *heading = json_string_value(json_object_get(passage, "heading"));
    const char *text = json_string_value(json_object_get(passage, "text"));
    struct den_buffer all;

    den_buffer_init(&all, DEN_CONTENT_BYTES_MAX);
    den_buffer_appendf(&all, "%s\n%s\n", title ? title : "", heading ? heading : "");
    den_buffer_append_text(&all, text ? text : "");
    den_terms_read(all.data ? all.data : "", all.length, &out->around);
    den_buffer_deinit(&all);
}

static enum den_status read_passages(struct work *work, const json_t *passages,
                                     struct den_error *err)
{
    struct den_sentence *sentences = calloc(PASSAGE_SENTENCES_MAX, sizeof *sentences);
    size_t i;

    work->passage_count = json_array_size(passages);
    work->passages = calloc(work->passage_count + 1, sizeof *work->passages);
    work->pieces = calloc(PIECES_MAX, sizeof *work->pieces);
    if (!sentences || !work->passages || !work->pieces) {
        free(sentences);
        return den_fail(err, DEN_NO_MEMORY, "citations: out of memory");
    }
    for (i = 0; i < work->passage_count; i++) {
        const json_t *passage = json_array_get(passages, i);
        const char *text = json_string_value(json_object_get(passage, "text"));

        work->passages[i].number = (size_t)json_integer_value(json_object_get(passage, "number"));
        read_around(passage, &work->passages[i]);
        add_pieces(work, i, text ? text : "", sentences);
    }
    free(sentences);
    return DEN_OK;
}

/* --- the answer's sentences --- */

/* Whether a marker may begin at `at`: "a[1]" is code. */
static bool may_begin(const char *text, size_t at)
{
    return at == 0 || (!isalnum((unsigned char)text[at - 1]) && text[at - 1] != '_');
}

static void take_markers(const char *text, struct claim *claim)
{
    size_t at, numbers[DEN_MARKER_NUMBERS], count, bytes, i;

    for (at = claim->place.start; at < claim->place.markers_end; at += bytes) {
        bytes = may_begin(text, at)
                    ? den_sentence_marker(text + at, claim->place.markers_end - at, numbers, &count)
                    : 0;
        for (i = 0; bytes > 0 && i < count; i++)
            if (claim->given_count < sizeof claim->given / sizeof claim->given[0])
                claim->given[claim->given_count++] = numbers[i];
        bytes = bytes ? bytes : 1;
    }
}

/* The sentence without the markers in it; free() it. */
static char *make_bare(const char *text, const struct den_sentence *place)
{
    char *bare = malloc(place->end - place->start + 1);
    size_t at, bytes, numbers[DEN_MARKER_NUMBERS], count, length = 0;

    for (at = place->start; bare && at < place->end; at += bytes) {
        bytes = may_begin(text, at)
                    ? den_sentence_marker(text + at, place->end - at, numbers, &count)
                    : 0;
        while (bytes > 0 && length > 0 && bare[length - 1] == ' ')
            length--;
        if (bytes == 0)
            bare[length++] = text[at];
        bytes = bytes ? bytes : 1;
    }
    if (bare)
        bare[length] = '\0';
    return bare;
}

static enum den_status read_claim(const char *content, struct claim *claim, struct den_error *err)
{
    const struct den_sentence *place = &claim->place;

    if (place->is_code)
        return DEN_OK;
    claim->bare = make_bare(content, place);
    if (!claim->bare)
        return den_fail(err, DEN_NO_MEMORY, "citations: out of memory");
    take_markers(content, claim);
    den_terms_read(claim->bare, strlen(claim->bare), &claim->terms);
    claim->is_claim = claim->terms.word_count + claim->terms.number_count >= TERMS_MIN &&
                      content[place->end - 1] != '?' && content[place->end - 1] != ':';
    return DEN_OK;
}

static enum den_status read_claims(struct work *work, struct den_error *err)
{
    struct den_sentence *sentences = calloc(SENTENCES_MAX, sizeof *sentences);
    size_t i;

    work->claims = calloc(SENTENCES_MAX, sizeof *work->claims);
    if (!sentences || !work->claims) {
        free(sentences);
        return den_fail(err, DEN_NO_MEMORY, "citations: out of memory");
    }
    work->claim_count =
        den_sentences_split(work->content, strlen(work->content), sentences, SENTENCES_MAX);
    for (i = 0; i < work->claim_count && err->status == DEN_OK; i++) {
        work->claims[i].place = sentences[i];
        read_claim(work->content, &work->claims[i], err);
    }
    free(sentences);
    return err->status;
}

/* --- comparing --- */

/* The `CANDIDATES` pieces that share most words, of passage `number` only unless it is 0. */
static void add_candidates(struct work *work, struct claim *claim, size_t number)
{
    double best[CANDIDATES];
    size_t places[CANDIDATES], count = 0, i, k;

    for (i = 0; i < work->piece_count; i++) {
        const struct piece *piece = &work->pieces[i];
        double score;

        if (number > 0 && work->passages[piece->passage].number != number)
            continue;
        score =
            den_support_words(&claim->terms, &piece->terms, &work->passages[piece->passage].around);
        for (k = count; k > 0 && best[k - 1] < score; k--)
            if (k < CANDIDATES) {
                best[k] = best[k - 1];
                places[k] = places[k - 1];
            }
        if (k < CANDIDATES) {
            best[k] = score;
            places[k] = i;
            count += count < CANDIDATES;
        }
    }
    for (k = 0; k < count; k++)
        if (claim->candidate_count < CANDIDATES * 2)
            claim->candidates[claim->candidate_count++] = places[k];
}

static size_t want_vector(struct work *work, const char *text, size_t length)
{
    char *copy = strndup(text, length);

    if (!copy)
        return 0;
    work->texts[work->text_count++] = copy;
    return work->text_count;
}

/* Embeds what is compared; without vectors words decide. */
static enum den_status embed(struct work *work, const struct den_citation_embedder *embedder,
                             struct den_error *err)
{
    struct den_error trouble = { 0 };
    size_t i, k;

    work->texts = calloc(work->claim_count + work->piece_count + 1, sizeof *work->texts);
    if (!work->texts)
        return den_fail(err, DEN_NO_MEMORY, "citations: out of memory");
    if (!embedder)
        return DEN_OK;
    for (i = 0; i < work->claim_count; i++) {
        struct claim *claim = &work->claims[i];

        if (!claim->is_claim && claim->given_count == 0)
            continue;
        claim->vector = want_vector(work, claim->bare, strlen(claim->bare));
        for (k = 0; k < claim->candidate_count; k++) {
            struct piece *piece = &work->pieces[claim->candidates[k]];

            if (piece->vector == 0)
                piece->vector = want_vector(work, piece->text, piece->length);
        }
    }
    for (i = 0; work->piece_count <= EMBED_ALL && i < work->piece_count; i++)
        if (work->pieces[i].vector == 0)
            work->pieces[i].vector =
                want_vector(work, work->pieces[i].text, work->pieces[i].length);
    if (work->text_count > 0 && embedder->embed(embedder->context, work->texts, work->text_count,
                                                &work->vectors, &work->width, &trouble) != DEN_OK)
        work->vectors = NULL;
    return DEN_OK;
}

static double cosine_of(const struct work *work, size_t a, size_t b)
{
    const float *left, *right;
    double sum = 0;
    size_t i;

    if (!work->vectors || a == 0 || b == 0)
        return (double)NAN;
    left = work->vectors + (a - 1) * work->width;
    right = work->vectors + (b - 1) * work->width;
    for (i = 0; i < work->width; i++)
        sum += (double)left[i] * (double)right[i];
    return sum;
}

/* The best score that a passage (of `number`; 0: any) gives the claim; its number in *out. */
static double best_support(const struct work *work, const struct claim *claim, size_t number,
                           size_t *out)
{
    double best = -1, score, cosine;
    size_t i;

    *out = number;
    for (i = 0; i < work->piece_count; i++) {
        const struct piece *piece = &work->pieces[i];
        const struct passage *passage = &work->passages[piece->passage];

        if (number > 0 && passage->number != number)
            continue;
        cosine = cosine_of(work, claim->vector, piece->vector);
        if (work->vectors && isnan(cosine))
            continue; /* it shares too little to have been embedded */
        score = den_support_score(&claim->terms, &piece->terms, &passage->around, cosine);
        if (score > best) {
            best = score;
            *out = passage->number;
        }
    }
    return best < 0 ? 0 : best;
}

/* --- writing --- */

struct output {
    struct den_buffer text;
    size_t units; /* UTF-16, so far */
    json_t *citations;
};

static void append(struct output *out, const char *text, size_t length)
{
    size_t at = 0, step;
    uint32_t code;

    den_buffer_append(&out->text, text, length);
    for (; at < length; at += step) {
        step = den_utf8_decode(text + at, length - at, &code);
        out->units += code > 0xffff ? 2 : 1;
    }
}

static void append_marker(struct output *out, size_t number, double score)
{
    char marker[32];
    const int length = snprintf(marker, sizeof marker, "[%zu]", number);
    size_t start;

    if (out->units > 0)
        append(out, " ", 1);
    start = out->units;
    append(out, marker, (size_t)length);
    json_array_append_new(out->citations,
                          json_pack("{s:I, s:I, s:[I], s:b, s:f}", "start", (json_int_t)start,
                                    "end", (json_int_t)out->units, "passages", (json_int_t)number,
                                    "supported", score >= DEN_SUPPORT_MIN, "score",
                                    round(score * 1000) / 1000));
}

static bool is_passage(const struct work *work, size_t number)
{
    size_t i;

    for (i = 0; i < work->passage_count; i++)
        if (work->passages[i].number == number)
            return true;
    return false;
}

/* The claim's markers: the model's where they hold, else the best passage's (citations.h). */
static void mark(const struct work *work, const struct claim *claim, struct output *out)
{
    size_t best, number, i, k, valid = 0, kept = 0;
    double scores[8], highest = best_support(work, claim, 0, &best);

    for (i = 0; i < claim->given_count; i++) {
        for (k = 0; k < i && claim->given[k] != claim->given[i]; k++)
            ;
        scores[i] = -1;
        if (k < i || !is_passage(work, claim->given[i]))
            continue;
        scores[i] = best_support(work, claim, claim->given[i], &number);
        valid++;
        kept += scores[i] >= DEN_SUPPORT_MIN;
    }
    if (kept == 0 && highest >= DEN_SUPPORT_MIN && (valid > 0 || claim->is_claim)) {
        append_marker(out, best, highest);
        return;
    }
    for (i = 0; i < claim->given_count; i++)
        if (scores[i] >= DEN_SUPPORT_MIN || (kept == 0 && scores[i] >= 0))
            append_marker(out, claim->given[i], scores[i]);
}

static enum den_status write_all(const struct work *work, struct den_cited *out,
                                 struct den_error *err)
{
    struct output output = { .citations = json_array() };
    size_t i, at = 0;

    den_buffer_init(&output.text, DEN_CONTENT_BYTES_MAX * 2u);
    for (i = 0; i < work->claim_count; i++) {
        const struct claim *claim = &work->claims[i];

        append(&output, work->content + at, claim->place.start - at);
        if (claim->place.is_code) {
            append(&output, work->content + claim->place.start,
                   claim->place.end - claim->place.start);
        } else {
            append(&output, claim->bare, strlen(claim->bare));
            if (claim->is_claim || claim->given_count > 0)
                mark(work, claim, &output);
        }
        at = claim->place.markers_end;
    }
    append(&output, work->content + at, strlen(work->content + at));
    if (den_buffer_status(&output.text, "citations", err) == DEN_OK) {
        out->content = den_buffer_take(&output.text);
        if (!out->content)
            out->content = strdup("");
        out->citations = json_incref(output.citations);
    }
    den_buffer_deinit(&output.text);
    json_decref(output.citations);
    return err->status;
}

enum den_status den_citations_make(const char *content, const json_t *passages,
                                   const struct den_citation_embedder *embedder,
                                   struct den_cited *out, struct den_error *err)
{
    struct work work = { .content = content };
    size_t i, k;

    if (read_passages(&work, passages, err) != DEN_OK || read_claims(&work, err) != DEN_OK)
        goto done;
    for (i = 0; i < work.claim_count; i++) {
        struct claim *claim = &work.claims[i];

        if (claim->is_claim || claim->given_count > 0)
            add_candidates(&work, claim, 0);
        for (k = 0; k < claim->given_count && k < 1; k++)
            add_candidates(&work, claim, claim->given[k]);
    }
    if (embed(&work, embedder, err) == DEN_OK)
        write_all(&work, out, err);
done:
    free_work(&work);
    return err->status;
}

void den_cited_deinit(struct den_cited *cited)
{
    free(cited->content);
    json_decref(cited->citations);
    *cited = (struct den_cited){ 0 };
}
