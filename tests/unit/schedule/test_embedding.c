/* The line before an embedder, with a fake embedder that the linker prefers to the real one. */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schedule/embedding.h"

struct den_embedder {
    atomic_bool hold;
    atomic_int runs;
    char order[16]; /* the first letters of what was embedded */
};

enum den_status den_embedder_run(struct den_embedder *embedder,
                                 const struct den_embed_request *request, float *out_vectors,
                                 size_t *out_tokens, struct den_error *err)
{
    while (embedder->hold)
        usleep(500);
    embedder->order[embedder->runs++] = request->texts[0][0];
    if (request->texts[0][0] == '!')
        return den_fail(err, DEN_CONTEXT_FULL, "text 0 is too long");
    out_vectors[0] = 1;
    out_tokens[0] = request->lengths[0];
    return DEN_OK;
}

static atomic_int done;

static void on_done(struct den_embed_job *job)
{
    done++;
}

struct asked {
    struct den_embed_job job;
    const char *text;
    size_t length, tokens;
    float vector;
};

static void add(struct den_embed_queue *queue, struct asked *asked, const char *text, bool batch)
{
    *asked = (struct asked){ .text = text, .length = strlen(text) };
    asked->job.request =
        (struct den_embed_request){ .texts = &asked->text, .lengths = &asked->length, .count = 1 };
    asked->job.vectors = &asked->vector;
    asked->job.tokens = &asked->tokens;
    asked->job.batch = batch;
    asked->job.on_done = on_done;
    den_embed_queue_add(queue, &asked->job);
}

static void interactive_before_batch_each_in_order(void **state)
{
    struct den_embedder embedder = { .hold = true };
    struct den_embed_queue *queue = NULL;
    struct den_error err = { 0 };
    struct asked asked[6];

    done = 0;
    assert_int_equal(den_embed_queue_create(&embedder, &queue, &err), DEN_OK);
    add(queue, &asked[0], "first", false);
    usleep(20000); /* it is being served */
    add(queue, &asked[1], "x batch", true);
    add(queue, &asked[2], "y batch", true);
    add(queue, &asked[3], "a", false);
    add(queue, &asked[4], "!", false);
    add(queue, &asked[5], "b", false);
    embedder.hold = false;
    while (done < 6)
        usleep(500);
    assert_memory_equal(embedder.order, "fa!bxy", 6);
    assert_int_equal(asked[4].job.error.status, DEN_CONTEXT_FULL);
    assert_int_equal(asked[5].job.error.status, DEN_OK);
    assert_int_equal(asked[1].tokens, 7);
    assert_true(asked[1].vector == 1);
    den_embed_queue_destroy(queue);
}

static void what_waits_is_served_before_the_end(void **state)
{
    struct den_embedder embedder = { 0 };
    struct den_embed_queue *queue = NULL;
    struct den_error err = { 0 };
    struct asked asked[3];

    done = 0;
    assert_int_equal(den_embed_queue_create(&embedder, &queue, &err), DEN_OK);
    add(queue, &asked[0], "a", true);
    add(queue, &asked[1], "b", true);
    add(queue, &asked[2], "c", true);
    den_embed_queue_destroy(queue);
    assert_int_equal(done, 3);
}

int schedule_test_embedding(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interactive_before_batch_each_in_order),
        cmocka_unit_test(what_waits_is_served_before_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
