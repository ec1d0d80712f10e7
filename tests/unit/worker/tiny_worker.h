/* A worker process on a tiny model of tests/fixtures/models, and requests to it. */
#ifndef DEN_TESTS_UNIT_WORKER_TINY_WORKER_H
#define DEN_TESTS_UNIT_WORKER_TINY_WORKER_H

#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/worker.h"

enum { ANSWER_BYTES_MAX = 1 << 16 };

static inline enum den_status tiny_try(const char *name, struct den_worker_options options,
                                       struct den_worker **out, struct den_error *err)
{
    char path[512];

    snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : DEN_FIXTURES "/models/", name);
    options.model_path = path;
    options.model_name = "tiny";
    if (options.threads == 0)
        options.threads = 1;
    return den_worker_start(&options, out, err);
}

static inline struct den_worker *tiny_start(const char *name, struct den_worker_options options)
{
    struct den_worker *worker = NULL;
    struct den_error err = { 0 };

    if (tiny_try(name, options, &worker, &err) != DEN_OK)
        fail_msg("%s: %s", name, err.message);
    return worker;
}

/* The path of a copy of `llama` that may write for long: its context is 16,384 tokens. */
static inline const char *tiny_long_model(void)
{
    static char folder[64];
    const char *const names[] = { "model.safetensors", "tokenizer.json", "tokenizer_config.json" };
    char from[512], to[512];
    json_t *config;
    size_t i;

    if (folder[0])
        return folder;
    snprintf(folder, sizeof folder, "/tmp/den-test-worker-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%s/models/llama/%s", DEN_FIXTURES, names[i]);
        snprintf(to, sizeof to, "%s/%s", folder, names[i]);
        assert_int_equal(symlink(from, to), 0);
    }
    config = json_load_file(DEN_FIXTURES "/models/llama/config.json", 0, NULL);
    json_object_set_new(config, "max_position_embeddings", json_integer(16384));
    snprintf(to, sizeof to, "%s/config.json", folder);
    assert_int_equal(json_dump_file(config, to, 0), 0);
    json_decref(config);
    return folder;
}

static inline struct den_worker *tiny_start_long(struct den_worker_options options)
{
    options.context_tokens = 16384;
    return tiny_start(tiny_long_model(), options);
}

/* Removes what tiny_long_model() made. */
static inline int tiny_clean(void **state)
{
    const char *const names[] = { "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                                  "config.json" };
    char path[512];
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", tiny_long_model(), names[i]);
        unlink(path);
    }
    rmdir(tiny_long_model());
    return 0;
}

struct answer {
    struct den_ticket *ticket;
    atomic_int ends, texts, logprobs, progress;
    char text[ANSWER_BYTES_MAX];
    size_t length;
    char finish[16], stop[64];
    struct den_error error;
    size_t prompt_tokens, cached_tokens, generated_tokens, alternatives;
    char cache_miss[16];
    uint64_t seed;
};

static inline void tiny_on_event(void *context, const struct den_worker_event *event)
{
    struct answer *answer = context;

    assert_int_equal(answer->ends, 0);
    if (event->kind == DEN_WORKER_PROGRESS) {
        answer->progress++;
    } else if (event->kind == DEN_WORKER_TEXT) {
        assert_true(answer->length + event->text_length < ANSWER_BYTES_MAX);
        memcpy(answer->text + answer->length, event->text, event->text_length);
        answer->length += event->text_length;
        answer->logprobs += event->logprob != NULL;
        answer->alternatives += event->top_count;
        answer->texts++;
    } else if (event->kind == DEN_WORKER_END) {
        snprintf(answer->finish, sizeof answer->finish, "%s", event->finish);
        snprintf(answer->stop, sizeof answer->stop, "%s",
                 event->stop_string ? event->stop_string : "");
        if (event->error)
            answer->error = *event->error;
        answer->prompt_tokens = event->prompt_tokens;
        answer->cached_tokens = event->cached_tokens;
        snprintf(answer->cache_miss, sizeof answer->cache_miss, "%s", event->cache_miss);
        answer->generated_tokens = event->generated_tokens;
        answer->seed = event->seed;
        answer->ends++;
    }
}

static inline void tiny_submit(struct den_worker *worker, const struct den_worker_request *request,
                               struct answer *answer)
{
    struct den_error err = { 0 };

    memset(answer, 0, sizeof *answer);
    if (den_worker_submit(worker, request, tiny_on_event, answer, &answer->ticket, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

static inline void tiny_wait(struct answer *answer)
{
    while (!answer->ends)
        usleep(1000);
    den_ticket_release(answer->ticket);
}

static inline void tiny_ask(struct den_worker *worker, const struct den_worker_request *request,
                            struct answer *answer)
{
    tiny_submit(worker, request, answer);
    tiny_wait(answer);
}

static inline struct den_worker_request tiny_prompt_request(const char *prompt, int64_t max_tokens)
{
    struct den_worker_request request = den_worker_request_defaults();

    request.prompt = prompt;
    request.max_tokens = max_tokens;
    request.seed = 7;
    request.ignore_end = true;
    return request;
}

#endif
