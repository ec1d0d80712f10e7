/* See answer_marks.h. A citation says where its marker stands, in UTF-16 code units; the sentence
 * is the one that the marker stands in or behind. */
#include "cli/answer_marks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "desk/sentences.h"

enum { SENTENCES_MAX = 2000 }; /* as many as are cited */

struct answer {
    const char *text;
    const json_t *citations;
    struct den_sentence *sentences;
    size_t count;
};

/* The units before the byte `to`, of which `*at` lie before `from`. */
static void count_units(const char *text, size_t from, size_t to, size_t *at)
{
    uint32_t code;

    while (from < to) {
        from += den_utf8_decode(text + from, to - from, &code);
        *at += code > 0xffff ? 2 : 1;
    }
}

static bool is_doubt(const json_t *citation, size_t from, size_t to)
{
    const json_int_t start = json_integer_value(json_object_get(citation, "start"));

    return json_is_false(json_object_get(citation, "supported")) && start >= (json_int_t)from &&
           start < (json_int_t)to;
}

/* Whether a citation without support has its marker in these units. */
static bool has_doubt(const json_t *citations, size_t from, size_t to)
{
    const json_t *citation;
    size_t i;

    json_array_foreach(citations, i, citation)
    {
        if (is_doubt(citation, from, to))
            return true;
    }
    return false;
}

/* Keeps the sentences without support alone; false: there is none. */
static bool read_doubts(struct answer *answer)
{
    const size_t length = strlen(answer->text);
    size_t units = 0, at = 0, kept = 0, count, i;

    answer->sentences = calloc(SENTENCES_MAX, sizeof *answer->sentences);
    if (!answer->sentences)
        return false;
    count = den_sentences_split(answer->text, length, answer->sentences, SENTENCES_MAX);
    for (i = 0; i < count; i++) {
        const struct den_sentence sentence = answer->sentences[i];
        size_t from;

        count_units(answer->text, at, sentence.start, &units);
        from = units;
        count_units(answer->text, sentence.start, sentence.markers_end, &units);
        at = sentence.markers_end;
        if (!sentence.is_code && has_doubt(answer->citations, from, units))
            answer->sentences[kept++] = sentence;
    }
    answer->count = kept;
    return kept > 0;
}

static void print_part(FILE *out, const char *text, size_t from, size_t to)
{
    fwrite(text + from, 1, to - from, out);
}

void den_cli_answer_print(FILE *out, const char *text, const json_t *citations, bool underlines)
{
    struct answer answer = { .text = text, .citations = citations };
    size_t at = 0, i;

    if (underlines)
        read_doubts(&answer);
    for (i = 0; i < answer.count; i++) {
        const struct den_sentence *sentence = &answer.sentences[i];

        print_part(out, text, at, sentence->start);
        fputs("\033[4m", out);
        print_part(out, text, sentence->start, sentence->end);
        fputs("\033[24m", out);
        at = sentence->end;
    }
    fprintf(out, "%s\n", text + at);
    free(answer.sentences);
}

void den_cli_doubts_print(FILE *out, const char *text, const json_t *citations)
{
    struct answer answer = { .text = text, .citations = citations };
    size_t i;

    if (read_doubts(&answer))
        fputs("\nNot clearly said by its source; check it there:\n", out);
    for (i = 0; i < answer.count; i++) {
        const struct den_sentence *sentence = &answer.sentences[i];

        fputs("  ", out);
        print_part(out, text, sentence->start, sentence->markers_end);
        fputc('\n', out);
    }
    free(answer.sentences);
}

bool den_cli_takes_styles(void)
{
    const char *plain = getenv("NO_COLOR"), *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(plain && *plain) && !(kind && strcmp(kind, "dumb") == 0);
}
