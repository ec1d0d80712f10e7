/* See pretokenizer.h.
 *
 * A step reports the parts of a word in order, each a match or a gap, and put_part() folds them
 * into words by the step's behavior. All five behaviors can be told while going forward: a match
 * waits as its own word, and a gap after it may still join it (merged with next). */
#include "text/pretokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "text/bpe.h"
#include "text/unicode.h"

enum part { PART_NONE, PART_GAP, PART_MATCH };

/* One step at work on one word. */
struct splitting {
    const struct den_pretokenizer_step *step;
    struct den_spans *out;
    enum part last; /* what the last word written for this word was */
    bool good;      /* memory sufficed */
};

enum den_status den_words_init(struct den_words *words, struct den_error *err)
{
    *words = (struct den_words){ 0 };
    den_buffer_init(&words->buffers[0], 4u * DEN_ENCODE_BYTES_MAX - 1);
    den_buffer_init(&words->buffers[1], 4u * DEN_ENCODE_BYTES_MAX - 1);
    words->regex_work = den_regex_work_create();
    if (!words->regex_work)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory");
    return DEN_OK;
}

void den_words_deinit(struct den_words *words)
{
    free(words->spans.items);
    free(words->spare.items);
    den_buffer_deinit(&words->buffers[0]);
    den_buffer_deinit(&words->buffers[1]);
    den_regex_work_destroy(words->regex_work);
}

void den_pretokenizer_deinit(struct den_pretokenizer *pretokenizer)
{
    size_t i;

    for (i = 0; i < pretokenizer->count; i++)
        den_regex_destroy(pretokenizer->steps[i].regex);
    *pretokenizer = (struct den_pretokenizer){ 0 };
}

enum den_status den_pretokenizer_add(struct den_pretokenizer *pretokenizer,
                                     struct den_pretokenizer_step step, struct den_error *err)
{
    if (pretokenizer->count == DEN_PRETOKENIZER_STEPS_MAX) {
        den_regex_destroy(step.regex);
        return den_fail(err, DEN_TOO_LARGE, "tokenizer: more than %d pre-tokenizer steps",
                        DEN_PRETOKENIZER_STEPS_MAX);
    }
    pretokenizer->steps[pretokenizer->count++] = step;
    return DEN_OK;
}

enum den_status den_pretokenizer_add_regex(struct den_pretokenizer *pretokenizer,
                                           struct den_token_text pattern,
                                           enum den_split_behavior behavior, bool invert,
                                           struct den_error *err)
{
    struct den_pretokenizer_step step = { .kind = DEN_PRETOKENIZER_REGEX,
                                          .behavior = behavior,
                                          .invert = invert };

    if (den_regex_create(pattern.bytes, pattern.length, &step.regex, err) != DEN_OK)
        return err->status;
    return den_pretokenizer_add(pretokenizer, step, err);
}

static bool push_span(struct den_spans *spans, size_t start, size_t length)
{
    if (spans->count == spans->capacity) {
        size_t capacity = spans->capacity ? 2 * spans->capacity : 64;
        struct den_span *items = reallocarray(spans->items, capacity, sizeof *items);

        if (!items)
            return false;
        spans->items = items;
        spans->capacity = capacity;
    }
    spans->items[spans->count++] = (struct den_span){ (uint32_t)start, (uint32_t)length };
    return true;
}

static void put_part(struct splitting *splitting, size_t start, size_t end, bool match)
{
    const struct den_pretokenizer_step *step = splitting->step;
    enum part last = splitting->last;
    bool join = false;

    if (end == start)
        return;
    match = match != step->invert;
    splitting->last = match ? PART_MATCH : PART_GAP;
    switch (step->behavior) {
    case DEN_SPLIT_REMOVED:
        if (match)
            return;
        break;
    case DEN_SPLIT_ISOLATED:
        break;
    case DEN_SPLIT_MERGED_WITH_PREVIOUS:
        join = match && last == PART_GAP;
        break;
    case DEN_SPLIT_MERGED_WITH_NEXT:
        join = !match && last == PART_MATCH;
        break;
    case DEN_SPLIT_CONTIGUOUS:
        join = last == splitting->last;
        break;
    }
    if (join)
        splitting->out->items[splitting->out->count - 1].length += (uint32_t)(end - start);
    else
        splitting->good = splitting->good && push_span(splitting->out, start, end - start);
}

/* One run of well-formed text at [start, end) of `text`. */
static enum den_status split_run(struct splitting *splitting, struct den_regex_work *work,
                                 const char *text, size_t start, size_t end, struct den_error *err)
{
    struct den_token_text run = { text + start, end - start };
    size_t gap = 0; /* where the part before the next match begins */
    size_t at = 0;

    while (at < run.length) {
        struct den_regex_match match;

        if (den_regex_find(splitting->step->regex, work, run, at, &match, err) != DEN_OK)
            return err->status;
        if (match.start == SIZE_MAX)
            break;
        put_part(splitting, start + gap, start + match.start, false);
        put_part(splitting, start + match.start, start + match.end, true);
        gap = match.end;
        at = match.end;
        if (match.end == match.start) { /* an empty match only cuts */
            uint32_t code;

            if (at >= run.length)
                break;
            at += den_utf8_decode(run.bytes + at, run.length - at, &code);
        }
    }
    put_part(splitting, start + gap, end, false);
    return DEN_OK;
}

/* The parts of a run are matches and gaps in turn, so a gap that goes on across an ill-formed byte
 * comes in pieces; with ISOLATED these stay apart, which no family can tell from one gap but by the
 * joins of its bytes. */
static enum den_status split_by_regex(struct splitting *splitting, struct den_regex_work *work,
                                      const char *text, struct den_span span, struct den_error *err)
{
    size_t at = span.start;
    size_t end = (size_t)span.start + span.length;

    while (at < end) {
        size_t run = at;
        uint32_t code;
        size_t used = 0;

        while (run < end && den_unicode_next(text + run, end - run, &code, &used))
            run += used;
        if (split_run(splitting, work, text, at, run, err) != DEN_OK)
            return err->status;
        at = run;
        while (at < end && !den_unicode_next(text + at, end - at, &code, &used))
            at += used;
        put_part(splitting, run, at, false);
    }
    return DEN_OK;
}

static void split_by_literal(struct splitting *splitting, const char *text, struct den_span span)
{
    struct den_token_text literal = splitting->step->text;
    size_t at = span.start;
    size_t end = (size_t)span.start + span.length;

    while (literal.length > 0 && at < end) {
        const char *found = memmem(text + at, end - at, literal.bytes, literal.length);

        if (!found)
            break;
        put_part(splitting, at, (size_t)(found - text), false);
        at = (size_t)(found - text) + literal.length;
        put_part(splitting, (size_t)(found - text), at, true);
    }
    put_part(splitting, at, end, false);
}

/* Classes that characters fall in, as far as a step is concerned; 0: a gap. */
static int classify(enum den_pretokenizer_kind kind, uint32_t code)
{
    switch (kind) {
    case DEN_PRETOKENIZER_DIGITS:
        return den_unicode_is_number(code);
    case DEN_PRETOKENIZER_PUNCTUATION:
        return den_unicode_is_punctuation(code);
    case DEN_PRETOKENIZER_SPACES:
        return den_unicode_is_space(code);
    default: /* DEN_PRETOKENIZER_WORDS */
        return den_unicode_is_word(code) ? 1 : den_unicode_is_space(code) ? 0 : 2;
    }
}

/* Single characters of a class are matches; WORDS joins those of the same class. */
static void split_by_class(struct splitting *splitting, const char *text, struct den_span span)
{
    enum den_pretokenizer_kind kind = splitting->step->kind;
    size_t end = (size_t)span.start + span.length;
    size_t start = span.start;
    size_t at = span.start;
    int last = 0;

    while (at < end) {
        uint32_t code;
        size_t used;
        int class = den_unicode_next(text + at, end - at, &code, &used) ? classify(kind, code) : 0;

        if (at > start && (class != last || (class && kind != DEN_PRETOKENIZER_WORDS))) {
            put_part(splitting, start, at, last != 0);
            start = at;
        }
        last = class;
        at += used;
    }
    put_part(splitting, start, end, last != 0);
}

static bool is_decimal(const char *text, size_t length, size_t *out_used)
{
    uint32_t code;

    return den_unicode_next(text, length, &code, out_used) &&
           (code < 0x80 ? code >= '0' && code <= '9'
                        : den_unicode_category(code) == DEN_CATEGORY_ND);
}

/* Threes from the right, in one pass: the patterns that models give for this look ahead over the
 * rest of the run at every digit, which takes hours for a megabyte of them. */
static void split_digit_groups(struct splitting *splitting, const char *text, struct den_span span)
{
    size_t end = (size_t)span.start + span.length;
    size_t gap = span.start;
    size_t at = span.start;

    while (at < end) {
        size_t run = at;
        size_t count = 0;
        size_t used;
        uint32_t code;

        for (; run < end && is_decimal(text + run, end - run, &used); run += used)
            count++;
        if (count == 0) {
            at += used;
            continue;
        }
        if (splitting->step->whole_only && run < end &&
            den_unicode_next(text + run, end - run, &code, &used) && den_unicode_is_word(code)) {
            at = run;
            continue;
        }
        put_part(splitting, gap, at, false);
        while (at < run) {
            size_t start = at;

            do {
                den_unicode_next(text + at, end - at, &code, &used);
                at += used;
                count--;
            } while (count % 3 != 0);
            put_part(splitting, start, at, true);
        }
        gap = run;
    }
    put_part(splitting, gap, end, false);
}

/* Writes one word's new text and returns its length, or cuts it up where the step says so. */
static void rewrite_word(const struct den_pretokenizer_step *step, const char *text, size_t length,
                         bool first, struct den_buffer *out)
{
    const char *end = text + length;

    if (step->kind == DEN_PRETOKENIZER_BYTE_ALPHABET) {
        den_bpe_append_mapped(out, text, length);
        return;
    }
    if (step->kind == DEN_PRETOKENIZER_BYTE_PREFIX) {
        if (text[0] != ' ')
            den_buffer_append_byte(out, ' ');
        den_buffer_append(out, text, length);
        return;
    }
    if ((step->prefix == DEN_METASPACE_ALWAYS || (step->prefix == DEN_METASPACE_FIRST && first)) &&
        text[0] != ' ' &&
        (length < step->text.length || memcmp(text, step->text.bytes, step->text.length) != 0))
        den_buffer_append(out, step->text.bytes, step->text.length);
    while (text < end) {
        const char *space = memchr(text, ' ', (size_t)(end - text));

        if (!space)
            space = end;
        den_buffer_append(out, text, (size_t)(space - text));
        if (space < end)
            den_buffer_append(out, step->text.bytes, step->text.length);
        text = space < end ? space + 1 : end;
    }
}

static enum den_status rewrite(const struct den_pretokenizer_step *step, bool first,
                               struct den_words *words, struct den_error *err)
{
    struct den_buffer *out = &words->buffers[words->rewritten++ % 2];
    size_t i;

    den_buffer_clear(out);
    for (i = 0; i < words->spans.count; i++) {
        struct den_span *span = &words->spans.items[i];
        size_t start = out->length;

        rewrite_word(step, words->text + span->start, span->length, first && span->start == 0, out);
        *span = (struct den_span){ (uint32_t)start, (uint32_t)(out->length - start) };
    }
    words->text = out->data;
    return den_buffer_status(out, "tokenizer: pre-tokenized text", err);
}

static enum den_status split(const struct den_pretokenizer_step *step, struct den_words *words,
                             struct den_error *err)
{
    struct den_spans before = words->spans;
    struct splitting splitting = { .step = step, .out = &words->spare, .good = true };
    size_t i;

    words->spare.count = 0;
    for (i = 0; i < before.count && splitting.good; i++) {
        splitting.last = PART_NONE;
        switch (step->kind) {
        case DEN_PRETOKENIZER_REGEX:
            if (split_by_regex(&splitting, words->regex_work, words->text, before.items[i], err) !=
                DEN_OK)
                return err->status;
            break;
        case DEN_PRETOKENIZER_LITERAL:
        case DEN_PRETOKENIZER_METASPACE:
            split_by_literal(&splitting, words->text, before.items[i]);
            break;
        case DEN_PRETOKENIZER_DIGIT_GROUPS:
            split_digit_groups(&splitting, words->text, before.items[i]);
            break;
        default:
            split_by_class(&splitting, words->text, before.items[i]);
            break;
        }
    }
    words->spans = words->spare;
    words->spare = before;
    if (!splitting.good)
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for words");
    return DEN_OK;
}

enum den_status den_pretokenizer_run(const struct den_pretokenizer *pretokenizer,
                                     struct den_token_text text, bool first,
                                     struct den_words *words, struct den_error *err)
{
    size_t i;

    words->text = text.bytes;
    words->spans.count = 0;
    words->rewritten = 0;
    if (text.length > 0 && !push_span(&words->spans, 0, text.length))
        return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for words");
    for (i = 0; i < pretokenizer->count; i++) {
        const struct den_pretokenizer_step *step = &pretokenizer->steps[i];

        if (step->kind >= DEN_PRETOKENIZER_METASPACE && rewrite(step, first, words, err) != DEN_OK)
            return err->status;
        if ((step->kind < DEN_PRETOKENIZER_METASPACE ||
             (step->kind == DEN_PRETOKENIZER_METASPACE && step->split)) &&
            split(step, words, err) != DEN_OK)
            return err->status;
    }
    return DEN_OK;
}
