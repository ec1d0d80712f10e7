/* See query_reword.h. */
#include "desk/query_reword.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "desk/query_rewrite.h"
#include "desk/side_question.h"
#include "desk/support.h"

enum {
    MESSAGES_BACK = 4, /* two questions and their answers */
    SHOWN_BYTES = 300, /* of each */
    PROMPT_BYTES_MAX = 16384,
    REWORDED_TOKENS_MAX = 80
};

static const double KEPT_SHARE = 0.75; /* of the question's words */
static const double KNOWN_SHARE = 0.9; /* of what was written: from the conversation */

static const char task[] =
    "Rewrite the last question so that it can be understood alone.\n\n"
    "Question: What did the bakery earn in 2023?\nAnswer: 412,000 euros.\n"
    "Next question: And in 2024?\nAlone: What did the bakery earn in 2024?\n\n"
    "Question: Who wrote the annual report?\nAnswer: Maria Lopez.\n"
    "Next question: When did she finish it?\n"
    "Alone: When did Maria Lopez finish the annual report?\n\n"
    "Question: Where is the museum?\nAnswer: In Harbour Street.\n"
    "Next question: How many lions live in the zoo?\nAlone: How many lions live in the zoo?\n\n";
static const char grammar[] =
    "root ::= \" \" [A-Z0-9\\u00c0-\\u02ff\\u0400-\\u04ff\\u3040-\\u9fff] [^\\n?\\uff1f]{3,200} "
    "[?\\uff1f]\n";

/* At most SHOWN_BYTES of it, in one line, cut where a character ends. */
static void append_line(struct den_buffer *out, const char *label, const char *text)
{
    size_t length = strlen(text), i;

    if (length > SHOWN_BYTES) {
        length = SHOWN_BYTES;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    den_buffer_append_text(out, label);
    for (i = 0; i < length; i++)
        den_buffer_append_byte(out, text[i] == '\n' || text[i] == '\r' ? ' ' : text[i]);
    den_buffer_append_byte(out, '\n');
}

static void append_conversation(const json_t *conversation, struct den_buffer *out)
{
    const size_t count = json_array_size(conversation);
    size_t i = count > MESSAGES_BACK ? count - MESSAGES_BACK : 0;

    for (; i < count; i++) {
        const json_t *message = json_array_get(conversation, i);
        const char *role = json_string_value(json_object_get(message, "role"));
        const char *content = json_string_value(json_object_get(message, "content"));

        if (role && content && strcmp(role, "user") == 0)
            append_line(out, "Question: ", content);
        else if (role && content && strcmp(role, "assistant") == 0)
            append_line(out, "Answer: ", content);
    }
}

char *den_query_reword(const struct den_answer_source *source, struct den_worker *worker,
                       const json_t *conversation, const char *question)
{
    struct den_worker_request request = den_worker_request_defaults();
    struct den_side_question side;
    struct den_error ignored = { 0 };
    struct den_buffer prompt;
    char *reworded = NULL;

    den_buffer_init(&prompt, PROMPT_BYTES_MAX);
    den_buffer_append_text(&prompt, task);
    append_conversation(conversation, &prompt);
    append_line(&prompt, "Next question: ", question);
    den_buffer_append_text(&prompt, "Alone:");
    request.surface = "rewrite";
    request.prompt = prompt.data;
    request.grammar = grammar;
    request.temperature = 0;
    request.max_tokens = REWORDED_TOKENS_MAX;
    den_side_question_init(&side, source);
    if (den_buffer_status(&prompt, "rewriting", &ignored) == DEN_OK &&
        den_side_question_ask(&side, worker, &request, &reworded, &ignored) == DEN_OK)
        memmove(reworded, reworded + (*reworded == ' '), strlen(reworded) + (*reworded != ' '));
    den_side_question_deinit(&side);
    den_buffer_deinit(&prompt);
    if (reworded && !den_query_reword_holds(conversation, question, reworded)) {
        free(reworded);
        reworded = NULL;
    }
    return reworded;
}

/* --- the check --- */

static bool holds(const uint32_t *list, size_t count, uint32_t value)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (list[i] == value)
            return true;
    return false;
}

static bool holds_numbers(const struct den_terms *all, const struct den_terms *some)
{
    size_t i;

    for (i = 0; i < some->number_count; i++)
        if (!holds(all->numbers, all->number_count, some->numbers[i]))
            return false;
    return true;
}

static bool adds_something(const struct den_terms *reworded, const struct den_terms *question)
{
    size_t i;

    for (i = 0; i < reworded->word_count; i++)
        if (!holds(question->words, question->word_count, reworded->words[i]))
            return true;
    return false;
}

bool den_query_reword_holds(const json_t *conversation, const char *question, const char *reworded)
{
    struct den_terms asked, made, known;
    struct den_buffer all;
    bool is_known;

    den_buffer_init(&all, PROMPT_BYTES_MAX);
    append_conversation(conversation, &all);
    append_line(&all, "", question);
    den_terms_read(all.data, all.length, &known);
    den_buffer_deinit(&all);
    den_terms_read(question, strlen(question), &asked);
    den_terms_read(reworded, strlen(reworded), &made);
    is_known =
        holds_numbers(&known, &made) && den_support_words(&made, &known, NULL) >= KNOWN_SHARE;
    if (asked.word_count + asked.number_count > 0 &&
        (den_support_words(&asked, &made, NULL) < KEPT_SHARE || !holds_numbers(&made, &asked)))
        return false;
    return is_known && asked.is_negated == made.is_negated &&
           (adds_something(&made, &asked) || !den_query_leans(question));
}
