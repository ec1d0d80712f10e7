/* What one engine read, the next one finds in the file: with the same answers as if it had read it
 * itself, unless the file is another model's or damaged. */
#include "engine/long_tiny.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "engine/engine_parts.h"
#include "engine/generation.h"
#include "engine/prefix_file.h"
#include "engine/prefix_keep.h"

enum { PROMPT = 400, ANSWER = 6 };

static void make_text(uint32_t number, den_token *out, size_t count)
{
    uint32_t state = number * 2654435761u + 1;
    size_t i;

    for (i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (den_token)((state >> 12) % TINY_VOCABULARY);
    }
}

struct answer {
    den_token tokens[ANSWER];
    size_t count;
    struct den_generation_result result;
};

static void remember(void *context, const struct den_generation_event *event)
{
    struct answer *answer = context;

    if (event->token != DEN_TOKEN_NONE)
        answer->tokens[answer->count++] = event->token;
}

static void ask(struct den_engine *engine, const den_token *prompt, size_t count,
                struct answer *answer)
{
    struct den_session *session = tiny_session(engine);
    struct den_generation_options options = { .prompt = prompt,
                                              .prompt_count = count,
                                              .sampler = den_sampler_defaults(),
                                              .max_tokens = ANSWER,
                                              .ignore_end = true,
                                              .logprobs = -1,
                                              .on_event = remember,
                                              .context = answer };
    struct den_generation *generation = NULL;
    struct den_error err = { 0 };

    options.sampler.temperature = 0;
    *answer = (struct answer){ .count = 0 };
    if (den_generation_create(engine, session, &options, &generation, &err) != DEN_OK ||
        den_generation_run(engine, generation, &err) != DEN_OK)
        fail_msg("%s", err.message);
    answer->result = *den_generation_result(generation);
    den_generation_destroy(generation);
    den_session_destroy(session);
    assert_true(den_prefix_tree_is_sound(engine->tree));
}

static struct den_engine *open_engine(int descriptor, const char *identity, bool is_fp32)
{
    struct den_engine *engine =
        long_open("gemma3", (struct den_engine_options){ .precision = is_fp32 ? DEN_PRECISION_FP32
                                                                              : DEN_PRECISION_INT8,
                                                         .sequences = 2,
                                                         .context_tokens = 512 });
    const struct den_prefix_keep_options options = { .descriptor = descriptor,
                                                     .bytes_max = 4 << 20,
                                                     .identity = identity,
                                                     .identity_bytes = strlen(identity) };
    struct den_error err = { 0 };

    if (den_engine_keep_prefixes(engine, &options, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return engine;
}

static size_t write_all(struct den_engine *engine)
{
    size_t calls = 0;

    while (den_engine_write_prefix(engine))
        assert_true(++calls < 100);
    return den_prefix_file_pages(engine->prefix_file);
}

static void goes_on_where_another_process_read(void **state)
{
    int descriptor = memfd_create("prefix", MFD_CLOEXEC), precision;
    den_token prompt[PROMPT], other[PROMPT];

    assert_true(descriptor >= 0);
    make_text(1, prompt, PROMPT);
    make_text(1, other, PROMPT);
    make_text(2, other + 330, PROMPT - 330);
    for (precision = 0; precision < 2; precision++) {
        struct den_engine *engine = open_engine(descriptor, "a", precision);
        struct answer first, second, wanted;

        ask(engine, prompt, PROMPT, &first); /* the file is of the other precision */
        assert_int_equal(first.result.cached_tokens, 0);
        assert_int_equal(write_all(engine), PROMPT / 64);
        assert_int_equal(write_all(engine), PROMPT / 64);
        den_engine_close(engine);
        engine = open_engine(descriptor, "a", precision);
        ask(engine, prompt, PROMPT, &second);
        assert_int_equal(second.result.cached_tokens, 384);
        assert_memory_equal(second.tokens, first.tokens, sizeof first.tokens);
        den_engine_close(engine);
        engine = open_engine(descriptor, "a", precision);
        ask(engine, other, PROMPT, &second); /* another end */
        assert_int_equal(second.result.cached_tokens, 320);
        den_engine_close(engine);
        engine = open_engine(descriptor, "b", precision); /* clears it */
        ask(engine, other, PROMPT, &wanted);
        assert_int_equal(wanted.result.cached_tokens, 0);
        assert_memory_equal(second.tokens, wanted.tokens, sizeof wanted.tokens);
        den_engine_close(engine);
    }
    close(descriptor);
}

/* Short prompts and answers are not written; a prompt that contains them is, whole. */
static void writes_what_is_worth_it(void **state)
{
    int descriptor = memfd_create("prefix", MFD_CLOEXEC);
    struct den_engine *engine = open_engine(descriptor, "a", true);
    den_token prompt[PROMPT];
    struct answer answer;

    make_text(1, prompt, PROMPT);
    ask(engine, prompt, DEN_PREFIX_PROMPT_MIN - 1, &answer);
    assert_int_equal(write_all(engine), 0);
    ask(engine, prompt, DEN_PREFIX_PROMPT_MIN + 62, &answer); /* its answer fills the fifth page */
    assert_true(answer.result.cached_tokens >= 192);
    assert_int_equal(write_all(engine), 4);
    ask(engine, prompt, PROMPT, &answer);
    assert_int_equal(write_all(engine), 6);
    den_engine_close(engine);
    close(descriptor);
}

static void reads_anew_what_is_damaged(void **state)
{
    int descriptor = memfd_create("prefix", MFD_CLOEXEC);
    struct den_engine *engine = open_engine(descriptor, "a", true);
    den_token prompt[PROMPT];
    struct answer first, second;
    struct stat info;
    size_t bytes, at;

    make_text(1, prompt, PROMPT);
    ask(engine, prompt, PROMPT, &first);
    assert_int_equal(write_all(engine), 6);
    bytes = den_kv_pool_page_bytes(engine->pool);
    den_engine_close(engine);
    assert_int_equal(fstat(descriptor, &info), 0);
    at = (size_t)info.st_size - 3 * bytes - bytes / 2; /* the third page */
    assert_int_equal(pwrite(descriptor, "damage", 6, (off_t)at), 6);
    engine = open_engine(descriptor, "a", true);
    ask(engine, prompt, PROMPT, &second);
    assert_int_equal(second.result.cached_tokens, 128);
    assert_memory_equal(second.tokens, first.tokens, sizeof first.tokens);
    assert_int_equal(write_all(engine), 6); /* whole again */
    den_engine_close(engine);
    engine = open_engine(descriptor, "a", true);
    ask(engine, prompt, PROMPT, &second);
    assert_int_equal(second.result.cached_tokens, 384);
    den_engine_close(engine);
    close(descriptor);
}

int engine_test_prefix_keep(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_where_another_process_read),
        cmocka_unit_test(writes_what_is_worth_it),
        cmocka_unit_test(reads_anew_what_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
