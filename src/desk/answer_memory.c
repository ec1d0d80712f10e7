/* What an answer is told about its user, and what is proposed to be remembered afterwards
 * (memories.h). Both happen on the job's own thread: the first before the model is asked, the
 * second when the answer has been told whole, as a request that stands behind everybody's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/answers_parts.h"
#include "desk/memories.h"
#include "desk/memory_rules.h"
#include "desk/prompt_block.h"

enum { FACTS_MAX = 3, WORDED_TOKENS_MAX = 80, LINE_TOKENS = 6, PROMPT_BYTES = 2048 };

/* Models below follow a form, and can't be asked whether there is a fact at all. */
static const size_t SMALL_PARAMETERS = 1500000000;

/* --- before the answer --- */

static const char heading[] = "What is known about the user (use it only where it helps):\n";

/* What is kept for the job's thread, where memory is on; else an empty list. */
static enum den_status load(struct den_answer_job *job, bool any_state, bool *out_enabled,
                            json_t **out, struct den_error *err)
{
    struct den_connection *connection;
    struct den_query query;
    int64_t workspace = 0;

    *out = NULL;
    *out_enabled = false;
    if (den_database_read(job->answers->threads->database, &connection, err) != DEN_OK)
        return err->status;
    den_query_start(&query, connection, err,
                    "SELECT coalesce(workspace, 0) FROM threads WHERE id = ?", "t", job->thread);
    if (den_query_next(&query, err))
        workspace = den_query_integer(&query, 0);
    den_query_end(&query);
    if (den_memories_enabled(connection, out_enabled, err) == DEN_OK && *out_enabled)
        den_memories_of(connection, workspace, any_state, out, err);
    return den_connection_end(connection, err);
}

/* The user's own sentence stands as a quotation, so that "I" is not the model. */
static bool is_in_first_person(const char *text)
{
    static const char *const beginnings[] = { "I ", "I'", "I\xE2\x80\x99", "My ", "\xE6\x88\x91" };
    size_t i;

    for (i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* Newest first, as many as there is room for; `told` gets those that were written. */
static enum den_status write_block(const struct den_token_counter *counter, const json_t *memories,
                                   struct den_buffer *out, json_t *told, struct den_error *err)
{
    size_t tokens = LINE_TOKENS * 3, more, i;
    json_t *memory;

    den_buffer_append_text(out, heading);
    json_array_foreach((json_t *)(uintptr_t)memories, i, memory)
    {
        const char *text = json_string_value(json_object_get(memory, "text"));
        const bool is_quoted = is_in_first_person(text);
        struct den_buffer safe;

        den_buffer_init(&safe, 4 * DEN_MEMORY_BYTES_MAX);
        if (den_prompt_safe_text(counter, text, &safe, &more, err) == DEN_OK &&
            den_buffer_status(&safe, "memories", err) == DEN_OK &&
            tokens + more + LINE_TOKENS <= DEN_MEMORY_PROMPT_TOKENS) {
            den_buffer_appendf(out, is_quoted ? "- They said: \"%s\"\n" : "- %s\n", safe.data);
            tokens += more + LINE_TOKENS;
            json_array_append(told, memory);
        }
        den_buffer_deinit(&safe);
        if (err->status != DEN_OK)
            return err->status;
    }
    return den_buffer_status(out, "memories", err);
}

/* Behind the system prompt, which stays as it is; a new one where there is none. */
static void put_block(json_t *messages, const char *block)
{
    json_t *first = json_array_get(messages, 0);
    const char *role = json_string_value(json_object_get(first, "role"));

    if (role && strcmp(role, "system") == 0)
        json_object_set_new(
            first, "content",
            json_sprintf("%s\n\n%s", json_string_value(json_object_get(first, "content")), block));
    else
        json_array_insert_new(messages, 0,
                              json_pack("{s:s, s:s}", "role", "system", "content", block));
}

/* What the answer was told, on its row. Whatever was removed meanwhile is not kept. */
static enum den_status keep_told(struct den_answer_job *job, const json_t *told,
                                 struct den_error *err)
{
    char *text = json_dumps(told, JSON_COMPACT);
    struct den_connection *connection;

    if (!text)
        return den_fail(err, DEN_NO_MEMORY, "memories: out of memory");
    if (den_database_write(job->answers->threads->database, &connection, err) == DEN_OK) {
        den_execute(
            connection, err,
            "UPDATE messages SET memories = (SELECT nullif(json_group_array(json(e.value)), "
            "'[]') FROM json_each(?) e WHERE EXISTS (SELECT 1 FROM memories m WHERE m.id = "
            "json_extract(e.value, '$.id'))) WHERE row = ?",
            "ti", text, job->row);
        den_connection_end(connection, err);
    }
    free(text);
    return err->status;
}

enum den_status den_answer_recall(struct den_answer_job *job, struct den_worker *worker,
                                  struct den_error *err)
{
    const struct den_token_counter counter = { worker, job->answers->source.tokenize };
    json_t *memories = NULL, *told = json_array();
    struct den_buffer block;
    bool enabled;

    den_buffer_init(&block, 65536);
    if (load(job, false, &enabled, &memories, err) == DEN_OK && json_array_size(memories) > 0 &&
        write_block(&counter, memories, &block, told, err) == DEN_OK && json_array_size(told) > 0 &&
        keep_told(job, told, err) == DEN_OK)
        put_block(job->messages, block.data);
    den_buffer_deinit(&block);
    json_decref(memories);
    json_decref(told);
    return err->status;
}

/* --- after it --- */

static const char english_task[] =
    "Rewrite the sentence as one short fact about the user, in the third person.\n\n"
    "Sentence: I'm a carpenter from Oslo.\nFact: The user is a carpenter from Oslo.\n"
    "Sentence: My son is called Max and he is 4.\nFact: The user's son is called Max and he is 4.\n"
    "Sentence: I don't eat fish.\nFact: The user does not eat fish.\n"
    "Sentence: %s\nFact:";
static const char english_grammar[] =
    "root ::= \" The user\" (\"'s\")? \" \" [^\\n.!?:]{3,160} \".\"%s\n";
static const char english_nothing[] = " | \" None.\"";
/* The same in Chinese, with a teacher from Shanghai. */
static const char chinese_task[] =
    "\xE6\x8A\x8A\xE5\x8F\xA5\xE5\xAD\x90\xE6\x94\xB9\xE5\x86\x99\xE4\xB8\xBA\xE5\x85\xB3"
    "\xE4\xBA\x8E\xE7\x94\xA8\xE6\x88\xB7\xE7\x9A\x84\xE4\xB8\x80\xE6\x9D\xA1\xE7\xAE\x80"
    "\xE7\x9F\xAD\xE4\xBA\x8B\xE5\xAE\x9E\xE3\x80\x82\n\n\xE5\x8F\xA5\xE5\xAD\x90"
    "\xEF\xBC\x9A\xE6\x88\x91\xE6\x98\xAF\xE4\xB8\x8A\xE6\xB5\xB7\xE7\x9A\x84\xE8\x80\x81"
    "\xE5\xB8\x88\xE3\x80\x82\n\xE4\xBA\x8B\xE5\xAE\x9E\xEF\xBC\x9A\xE7\x94\xA8"
    "\xE6\x88\xB7\xE6\x98\xAF\xE4\xB8\x8A\xE6\xB5\xB7\xE7\x9A\x84\xE8\x80\x81\xE5\xB8\x88"
    "\xE3\x80\x82\n\xE5\x8F\xA5\xE5\xAD\x90\xEF\xBC\x9A\xE6\x88\x91\xE7\x9A\x84"
    "\xE5\x84\xBF\xE5\xAD\x90\xE5\x8F\xAB\xE5\xB0\x8F\xE6\x98\x8E\xE3\x80\x82\n"
    "\xE4\xBA\x8B\xE5\xAE\x9E\xEF\xBC\x9A\xE7\x94\xA8\xE6\x88\xB7\xE7\x9A\x84\xE5\x84\xBF"
    "\xE5\xAD\x90\xE5\x8F\xAB\xE5\xB0\x8F\xE6\x98\x8E\xE3\x80\x82\n\xE5\x8F\xA5"
    "\xE5\xAD\x90\xEF\xBC\x9A%s\n\xE4\xBA\x8B\xE5\xAE\x9E\xEF\xBC\x9A";
static const char chinese_grammar[] =
    "root ::= \"\xE7\x94\xA8\xE6\x88\xB7\" [^\\n\\u3002\\uff01\\uff1f]{2,80} \"\\u3002\"\n";

/* How the model words it; NULL: it can't. The task is a text to be gone on with: small models,
 * asked through their template, repeat its examples. */
static char *word_fact(struct den_answer_job *job, struct den_worker *worker, const char *sentence,
                       bool is_chinese, struct den_error *err)
{
    const struct den_answer_source *source = &job->answers->source;
    const size_t parameters = source->parameters ? source->parameters(worker) : 0;
    const bool is_small = parameters == 0 || parameters < SMALL_PARAMETERS;
    struct den_worker_request request = den_worker_request_defaults();
    char prompt[PROMPT_BYTES], grammar[256], *worded = NULL;

    snprintf(prompt, sizeof prompt, is_chinese ? chinese_task : english_task, sentence);
    if (is_chinese)
        snprintf(grammar, sizeof grammar, "%s", chinese_grammar);
    else
        snprintf(grammar, sizeof grammar, english_grammar, is_small ? "" : english_nothing);
    request.surface = "memory";
    request.batch = true;
    request.prompt = prompt;
    request.grammar = grammar;
    request.temperature = 0;
    request.max_tokens = WORDED_TOKENS_MAX;
    den_side_question_ask(&job->side, worker, &request, &worded, err);
    return worded;
}

/* Known by its words, or by its meaning where a model tells it. */
static bool is_known(struct den_answer_job *job, const json_t *known, const char *fact)
{
    struct den_retrieval *retrieval = job->answers->source.retrieval;
    const size_t count = json_array_size(known);
    const char **texts = calloc(count + 1, sizeof *texts);
    struct den_error ignored = { 0 };
    float *vectors = NULL;
    size_t width = 0, i, k;
    bool found = false;

    if (!texts)
        return true; /* rather nothing than the same again */
    for (i = 0; i < count; i++)
        texts[i] = json_string_value(json_object_get(json_array_get(known, i), "text"));
    texts[count] = fact;
    if (count > 0 && retrieval)
        den_retrieval_embed(retrieval, texts, count + 1, &vectors, &width, &ignored);
    for (i = 0; i < count && !found; i++) {
        double cosine = vectors ? 0 : (double)NAN;

        for (k = 0; vectors && k < width; k++)
            cosine += (double)vectors[i * width + k] * (double)vectors[count * width + k];
        found = den_memory_is_same(texts[i], fact, cosine);
    }
    free(vectors);
    free(texts);
    return found;
}

/* One sentence: worded by the model if it does that faithfully, else as it was said. */
static void propose(struct den_answer_job *job, struct den_worker *worker, const json_t *known,
                    const struct den_memory_span *span, struct den_error *err)
{
    char *sentence = strndup(job->question + span->start, span->length), *worded;
    const char *fact = sentence, *said;

    if (!sentence || is_known(job, known, sentence)) {
        free(sentence);
        return;
    }
    worded = word_fact(job, worker, sentence, span->is_chinese, err);
    if (worded && strcmp(worded, " None.") == 0)
        fact = NULL;
    said = worded && *worded == ' ' ? worded + 1 : worded;
    if (fact && said && den_memory_is_faithful(said, sentence) && !den_memory_is_secret(said))
        fact = said;
    if (fact && err->status == DEN_OK && strlen(fact) <= DEN_MEMORY_BYTES_MAX &&
        !is_known(job, known, fact))
        den_memory_propose(job->answers->threads, job->thread, fact, err);
    free(sentence);
    free(worded);
}

void den_answer_remember(struct den_answer_job *job)
{
    const struct den_answer_source *source = &job->answers->source;
    struct den_memory_span spans[FACTS_MAX];
    const size_t count = job->question ? den_memory_sentences(job->question, spans, FACTS_MAX) : 0;
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };
    const char *name = "";
    json_t *known = NULL;
    size_t context = 0, i;
    bool enabled = false;

    if (count == 0 || load(job, true, &enabled, &known, &err) != DEN_OK || !enabled) {
        json_decref(known);
        return;
    }
    if (source->take(source->context, job->model, &worker, &name, &context, &err) == DEN_OK) {
        for (i = 0; i < count && err.status == DEN_OK; i++)
            propose(job, worker, known, &spans[i], &err);
        source->give_back(source->context, worker);
    }
    json_decref(known);
}
