/* Comparisons: what two documents say differently, what both say, what only one says.
 *
 * The documents' sentences are paired (report_pairs.h). Numbers and dates that differ between
 * sentences that are otherwise the same are told first, and by quotation: no model can get them
 * wrong. For other pairs the model writes one sentence; it is kept where its words, names and
 * numbers stand in the quotations, and where they don't the quotations themselves are shown. So
 * each point stands on a place in each document, whatever the model is worth. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/report_model.h"
#include "desk/report_sides.h"
#include "desk/report_text.h"
#include "desk/sentences.h"
#include "desk/threads_parts.h"

enum {
    QUOTE_CHARACTERS = 320,
    QUOTE_BYTES = QUOTE_CHARACTERS * 4 + 8,
    SENTENCE_TOKENS_MAX = 72,
    QUOTE_SENTENCES = 64
};

static const struct {
    const char *name, *title;
    size_t most; /* points that are told */
} kinds[DEN_PAIR_KINDS] = {
    [DEN_PAIR_NUMBERS] = { "numbers", "Numbers and dates that differ", 40 },
    [DEN_PAIR_DIFFERS] = { "differs", "What differs", 10 },
    [DEN_PAIR_AGREES] = { "agrees", "What both say", 10 },
    [DEN_PAIR_ONLY_A] = { "only_a", "Only in ", 8 },
    [DEN_PAIR_ONLY_B] = { "only_b", "Only in ", 8 },
};

static const char *name_of(const json_t *fields, size_t side)
{
    const char *name = json_string_value(
        json_object_get(json_array_get(json_object_get(fields, "documents"), side), "name"));
    const char *slash = name ? strrchr(name, '/') : NULL;

    return slash ? slash + 1 : name ? name : "";
}

/* --- what is quoted --- */

static void shorten(const char *text, size_t length, char out[QUOTE_BYTES])
{
    char *copy = strndup(text, length);

    out[0] = '\0';
    if (copy)
        den_text_shorten(copy, QUOTE_CHARACTERS, out, QUOTE_BYTES);
    free(copy);
}

static size_t split_unit(const struct den_unit *unit, struct den_unit *out)
{
    struct den_sentence places[QUOTE_SENTENCES];
    const size_t count = den_sentences_split(unit->text, unit->length, places, QUOTE_SENTENCES);
    size_t i;

    for (i = 0; i < count; i++) {
        out[i] = (struct den_unit){ .text = unit->text + places[i].start,
                                    .length = places[i].end - places[i].start };
        den_terms_read(out[i].text, out[i].length, &out[i].terms);
    }
    return count;
}

/* Of passages, the two sentences that have most in common; where numbers differ, of those whose
 * numbers do. */
static void find_quotes(const struct den_unit *a, const struct den_unit *b, bool wants_numbers,
                        char out_a[QUOTE_BYTES], char out_b[QUOTE_BYTES])
{
    struct den_unit *left = calloc(QUOTE_SENTENCES, sizeof *left),
                    *right = calloc(QUOTE_SENTENCES, sizeof *right);
    const size_t left_count = left ? split_unit(a, left) : 0,
                 right_count = right ? split_unit(b, right) : 0;
    size_t i, k, best_a = 0, best_b = 0;
    double best = -1, share;

    for (i = 0; i < left_count; i++)
        for (k = 0; k < right_count; k++) {
            share = den_report_word_share(&left[i].terms, &right[k].terms);
            if (share > best &&
                (!wants_numbers || den_report_numbers_differ(&left[i], &right[k]))) {
                best = share;
                best_a = i;
                best_b = k;
            }
        }
    shorten(best < 0 ? a->text : left[best_a].text, best < 0 ? a->length : left[best_a].length,
            out_a);
    shorten(best < 0 ? b->text : right[best_b].text, best < 0 ? b->length : right[best_b].length,
            out_b);
    free(left);
    free(right);
}

/* --- planning --- */

struct planner {
    struct den_report *report;
    struct den_side sides[2];
    struct den_report_step *steps;
    size_t count;
};

/* As in an answer's sources; null for the side that a pair has not. */
static json_t *passage_json(struct planner *planner, size_t side, size_t unit,
                            struct den_error *err)
{
    const struct den_side *from = &planner->sides[side];
    struct den_space *space = den_retrieval_space(planner->report->reports->source.retrieval);
    struct den_passage passage;
    json_t *json;

    if (unit == SIZE_MAX)
        return json_null();
    if (den_space_passage(space, from->items[from->units[unit].passage].row, 0, 0, &passage, err) !=
        DEN_OK)
        return NULL;
    json = den_passage_json(&passage);
    den_passage_free(&passage);
    json_object_set_new(json, "cosine", json_null());
    json_object_set_new(json, "bm25", json_null());
    return json;
}

static enum den_status add_point(struct planner *planner, const struct den_pair *pair,
                                 struct den_error *err)
{
    const bool is_quoted = pair->kind != DEN_PAIR_DIFFERS && pair->kind != DEN_PAIR_AGREES;
    char quotes[2][QUOTE_BYTES] = { "", "" };
    const struct den_unit *a = pair->a == SIZE_MAX ? NULL : &planner->sides[0].units[pair->a],
                          *b = pair->b == SIZE_MAX ? NULL : &planner->sides[1].units[pair->b];
    struct den_report_step step = { .kind = "point" };
    json_t *left = passage_json(planner, 0, pair->a, err), *right;

    if (!left)
        return err->status;
    right = passage_json(planner, 1, pair->b, err);
    if (!right) {
        json_decref(left);
        return err->status;
    }
    if (a && b)
        find_quotes(a, b, pair->kind == DEN_PAIR_NUMBERS, quotes[0], quotes[1]);
    else if (a)
        shorten(a->text, a->length, quotes[0]);
    else if (b)
        shorten(b->text, b->length, quotes[1]);
    step.input = json_pack("{s:s, s:o, s:o, s:s, s:s}", "kind", kinds[pair->kind].name, "a", left,
                           "b", right, "quote_a", quotes[0], "quote_b", quotes[1]);
    step.output = is_quoted ? json_pack("{s:n}", "text") : NULL;
    planner->steps[planner->count++] = step;
    return step.input ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
}

static int by_score(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* The score from which on (of those that stand alone: up to which) a pair of the kind is told. */
static double find_bound(const struct den_pair *pairs, size_t count, size_t most, bool from_low)
{
    double *scores = calloc(count + 1, sizeof *scores), bound = from_low ? 2 : -2;
    size_t i;

    for (i = 0; scores && i < count; i++)
        scores[i] = pairs[i].score;
    if (scores && count > most) {
        qsort(scores, count, sizeof *scores, by_score);
        bound = from_low ? scores[most - 1] : scores[count - most];
    }
    free(scores);
    return bound;
}

/* The most telling pairs of one kind, in their order. */
static enum den_status add_kind(struct planner *planner, const struct den_pair *pairs, size_t count,
                                struct den_error *err)
{
    const bool is_alone = pairs[0].kind == DEN_PAIR_ONLY_A || pairs[0].kind == DEN_PAIR_ONLY_B;
    const size_t most = kinds[pairs[0].kind].most;
    const double bound = find_bound(pairs, count, most, is_alone);
    size_t i, added = 0;

    for (i = 0; i < count && added < most && err->status == DEN_OK; i++) {
        if (is_alone ? pairs[i].score > bound : pairs[i].score < bound)
            continue;
        if (add_point(planner, &pairs[i], err) == DEN_NOT_FOUND)
            *err = (struct den_error){ 0 }; /* the document was removed or read again meanwhile */
        added++;
    }
    return err->status;
}

static enum den_status add_points(struct planner *planner, const struct den_pair *pairs,
                                  size_t count, struct den_error *err)
{
    size_t i, end, most = 0;

    for (i = 0; i < DEN_PAIR_KINDS; i++)
        most += kinds[i].most;
    planner->steps = calloc(most + 1, sizeof *planner->steps);
    if (!planner->steps)
        return den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    for (i = 0; i < count && err->status == DEN_OK; i = end) {
        for (end = i; end < count && pairs[end].kind == pairs[i].kind; end++)
            ;
        add_kind(planner, pairs + i, end - i, err);
    }
    return err->status;
}

static enum den_status go_on(void *context, struct den_error *err)
{
    return den_report_go_on(context, err);
}

static enum den_status plan_points(struct planner *planner, struct den_error *err)
{
    const struct den_side *sides = planner->sides;
    const struct den_aligner aligner = {
        .a = sides[0].units,
        .b = sides[1].units,
        .a_count = sides[0].unit_count,
        .b_count = sides[1].unit_count,
        .width = sides[0].vectors && sides[1].vectors && sides[0].width == sides[1].width
                     ? sides[0].width
                     : 0,
        .go_on = go_on,
        .context = planner->report,
    };
    struct den_pair *pairs = NULL;
    size_t count = 0;

    if (den_report_align(&aligner, err) == DEN_OK &&
        den_report_find_pairs(&aligner, &pairs, &count, err) == DEN_OK &&
        add_points(planner, pairs, count, err) == DEN_OK)
        den_report_plan(
            planner->report,
            &(struct den_report_plan){ planner->steps, planner->count,
                                       json_pack("{s:I}", "steps", (json_int_t)planner->count) },
            err);
    free(pairs);
    return err->status;
}

static enum den_status plan(struct den_report *report, struct den_error *err)
{
    const json_t *documents = json_object_get(report->fields, "documents");
    const char *ids[2] = { json_string_value(json_object_get(json_array_get(documents, 0), "id")),
                           json_string_value(json_object_get(json_array_get(documents, 1), "id")) };
    struct planner planner = { .report = report };
    size_t i;

    if (!ids[0] || !ids[1])
        return den_fail(err, DEN_BAD_FILE, "the report's documents are damaged");
    if (den_report_sides(report, ids, planner.sides, err) == DEN_OK)
        plan_points(&planner, err);
    for (i = 0; i < planner.count; i++)
        den_report_step_deinit(&planner.steps[i]);
    free(planner.steps);
    den_side_deinit(&planner.sides[0]);
    den_side_deinit(&planner.sides[1]);
    return err->status;
}

/* --- one point --- */

static const char *quote_of(const struct den_report_step *step, const char *key)
{
    const char *text = json_string_value(json_object_get(step->input, key));

    return text ? text : "";
}

static enum den_status write_prompt(const struct den_report_step *step,
                                    const struct den_report_room *room, struct den_buffer *out,
                                    struct den_error *err)
{
    static const char *const keys[] = { "quote_a", "quote_b" };
    static const char *const titles[] = { "First text:", "Second text:" };
    const bool agrees = strcmp(quote_of(step, "kind"), "agrees") == 0;
    size_t i, tokens;

    for (i = 0; i < 2; i++) {
        struct den_buffer safe;

        den_buffer_init(&safe, DEN_CONTENT_BYTES_MAX);
        if (den_prompt_safe_text(&room->counter, quote_of(step, keys[i]), &safe, &tokens, err) ==
            DEN_OK)
            den_prompt_block(out, titles[i], safe.data);
        den_buffer_deinit(&safe);
        if (err->status != DEN_OK)
            return err->status;
    }
    if (den_report_is_chinese(quote_of(step, "quote_a")))
        den_buffer_append_text(
            out, agrees ? /* what do both texts say? one sentence */
                     "\xE4\xB8\xA4\xE6\xAE\xB5\xE6\x96\x87\xE5\xAD\x97\xE9\x83\xBD\xE8\xAF\xB4\xE4"
                     "\xBA\x86\xE4\xBB\x80\xE4\xB9\x88\xEF\xBC\x9F\xE7\x94\xA8\xE4\xB8\x80\xE5\x8F"
                     "\xA5\xE8\xAF\x9D\xE5\x9B\x9E\xE7\xAD\x94\xE3\x80\x82"
                        : /* how does the second differ from the first? one sentence */
                     "\xE7\xAC\xAC\xE4\xBA\x8C\xE6\xAE\xB5\xE6\x96\x87\xE5\xAD\x97\xE4\xB8\x8E\xE7"
                     "\xAC\xAC\xE4\xB8\x80\xE6\xAE\xB5\xE6\x9C\x89\xE4\xBB\x80\xE4\xB9\x88\xE4\xB8"
                     "\x8D\xE5\x90\x8C\xEF\xBC\x9F\xE7\x94\xA8\xE4\xB8\x80\xE5\x8F\xA5\xE8\xAF\x9D"
                     "\xE5\x9B\x9E\xE7\xAD\x94\xE3\x80\x82");
    else
        den_buffer_append_text(out, agrees ? "Say in one sentence what both texts say."
                                           : "Say in one sentence what the first text says and "
                                             "what the second says otherwise.");
    return den_buffer_status(out, "the prompt", err);
}

/* How much of the sentence stands in a text. */
static double support_of(const char *sentence, const char *text)
{
    struct den_terms claim, piece;

    den_terms_read(sentence, strlen(sentence), &claim);
    den_terms_read(text, strlen(text), &piece);
    return den_support_score(&claim, &piece, NULL, (double)NAN);
}

/* What is kept of the model's sentence: {"text": null} where the quotations don't have it. */
static json_t *judge(const struct den_report_step *step, const char *sentence)
{
    const bool agrees = strcmp(quote_of(step, "kind"), "agrees") == 0;
    char both[2 * QUOTE_BYTES];
    double left, right;

    snprintf(both, sizeof both, "%s %s", quote_of(step, "quote_a"), quote_of(step, "quote_b"));
    left = support_of(sentence, agrees ? quote_of(step, "quote_a") : both);
    right = support_of(sentence, agrees ? quote_of(step, "quote_b") : both);
    if (!*sentence || left < DEN_SUPPORT_MIN || right < DEN_SUPPORT_MIN)
        return json_pack("{s:n}", "text");
    return json_pack("{s:s, s:f, s:f}", "text", sentence, "score_a", left, "score_b", right);
}

static enum den_status run(struct den_report *report, const struct den_report_step *step,
                           json_t **out, struct den_error *err)
{
    struct den_report_room room;
    struct den_worker *worker;
    struct den_buffer prompt;
    char *sentence = NULL;

    if (den_report_take(report, &worker, &room, err) != DEN_OK)
        return err->status;
    room.sentences = 1;
    if (room.answer_tokens > SENTENCE_TOKENS_MAX)
        room.answer_tokens = SENTENCE_TOKENS_MAX;
    den_buffer_init(&prompt, DEN_CONTENT_BYTES_MAX);
    if (write_prompt(step, &room, &prompt, err) == DEN_OK &&
        den_report_ask_sentences(report, worker, &room, prompt.data, &sentence, err) == DEN_OK) {
        *out = judge(step, sentence);
        if (!*out)
            den_fail(err, DEN_NO_MEMORY, "reports: out of memory");
    }
    den_buffer_deinit(&prompt);
    free(sentence);
    den_report_give_back(report, worker);
    return err->status;
}

/* --- the result --- */

struct writer {
    struct den_report_text text;
    const json_t *fields;
    char kind[16]; /* of the last point */
};

static void write_title(struct writer *writer, const char *kind)
{
    size_t i;

    for (i = 0; i < DEN_PAIR_KINDS && strcmp(kinds[i].name, kind) != 0; i++)
        ;
    if (i == DEN_PAIR_KINDS)
        return;
    snprintf(writer->kind, sizeof writer->kind, "%s", kind);
    den_report_text_plain(&writer->text, writer->text.text.length > 0 ? "\n\n**" : "**");
    den_report_text_plain(&writer->text, kinds[i].title);
    if (i == DEN_PAIR_ONLY_A || i == DEN_PAIR_ONLY_B)
        den_report_text_plain(&writer->text, name_of(writer->fields, i == DEN_PAIR_ONLY_B));
    den_report_text_plain(&writer->text, "**\n");
}

/* The quotation with its marker: it stands there word for word. */
static void write_quote(struct writer *writer, const struct den_report_step *step, size_t side,
                        bool with_name)
{
    const json_t *passage = json_object_get(step->input, side ? "b" : "a");

    if (!json_is_object(passage))
        return;
    if (with_name) {
        den_report_text_plain(&writer->text, name_of(writer->fields, side));
        den_report_text_plain(&writer->text, ": ");
    }
    den_report_text_plain(&writer->text, "\xE2\x80\x9C");
    den_report_text_plain(&writer->text, quote_of(step, side ? "quote_b" : "quote_a"));
    den_report_text_plain(&writer->text, "\xE2\x80\x9D");
    den_report_text_marker(&writer->text, den_report_text_passage(&writer->text, passage), 1);
}

static void write_sentence(struct writer *writer, const struct den_report_step *step,
                           const char *sentence)
{
    static const char *const sides[] = { "a", "b" }, *const scores[] = { "score_a", "score_b" };
    size_t i;

    den_report_text_plain(&writer->text, sentence);
    for (i = 0; i < 2; i++)
        den_report_text_marker(
            &writer->text,
            den_report_text_passage(&writer->text, json_object_get(step->input, sides[i])),
            json_number_value(json_object_get(step->output, scores[i])));
}

static bool take_point(void *context, struct den_report_step *step)
{
    struct writer *writer = context;
    const char *kind = quote_of(step, "kind"),
               *sentence = json_string_value(json_object_get(step->output, "text"));
    const bool is_pair = json_is_object(json_object_get(step->input, "a")) &&
                         json_is_object(json_object_get(step->input, "b"));

    if (strcmp(kind, writer->kind) != 0)
        write_title(writer, kind);
    den_report_text_plain(&writer->text, "\n- ");
    if (sentence && is_pair) {
        write_sentence(writer, step, sentence);
        return true;
    }
    write_quote(writer, step, 0, is_pair);
    if (is_pair)
        den_report_text_plain(&writer->text, "; ");
    write_quote(writer, step, 1, is_pair);
    return true;
}

static enum den_status result(struct den_connection *connection, int64_t row, const json_t *fields,
                              json_t **out, struct den_error *err)
{
    struct writer writer = { .fields = fields };

    den_report_text_init(&writer.text);
    if (den_report_steps(connection, row, "point", take_point, &writer, err) == DEN_OK) {
        if (json_integer_value(json_object_get(json_object_get(fields, "plan"), "steps")) == 0)
            den_report_text_plain(&writer.text,
                                  "The documents have nothing in common that could be compared.");
        den_report_text_take(&writer.text, out, err);
    }
    den_report_text_deinit(&writer.text);
    return err->status;
}

const struct den_report_kind den_report_comparison = {
    .name = "comparison", .plan = plan, .run = run, .result = result
};
