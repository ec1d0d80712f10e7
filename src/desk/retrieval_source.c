/* Vectors and completed questions from the roster's workers. */
#include <stdlib.h>
#include <string.h>

#include "desk/answers.h"
#include "desk/query_reword.h"
#include "desk/retrieval.h"
#include "desk/roster.h"

static enum den_status embed(void *context, const char *name, const char *const *texts,
                             size_t count, float *out, size_t width, struct den_error *err)
{
    struct den_worker_embed_request request = { .texts = texts, .count = count, .truncate = true };
    struct den_worker *worker;
    size_t *lengths, i;

    if (den_roster_take(context, name, DEN_WORKER_EMBEDDING, &worker, err) != DEN_OK)
        return err->status;
    lengths = calloc(count + 1, sizeof *lengths);
    if (!lengths) {
        den_fail(err, DEN_NO_MEMORY, "retrieval: out of memory");
        goto done;
    }
    for (i = 0; i < count; i++)
        lengths[i] = strlen(texts[i]);
    request.lengths = lengths;
    if (den_worker_info(worker)->width != width)
        den_fail(err, DEN_INVALID, "the model '%s' makes vectors of %zu numbers, not %zu", name,
                 den_worker_info(worker)->width, width);
    else
        den_worker_embed(worker, &request, out, NULL, err);
done:
    free(lengths);
    den_roster_give_back(context, worker);
    return err->status;
}

static char *rewrite(void *context, const char *model, const json_t *conversation,
                     const char *question)
{
    const struct den_answer_source source = den_answer_source_of(context, NULL);
    struct den_worker *worker;
    struct den_error ignored = { 0 };
    char *completed;

    if (den_roster_take(context, model, DEN_WORKER_CHAT, &worker, &ignored) != DEN_OK)
        return NULL;
    completed = den_query_reword(&source, worker, conversation, question);
    den_roster_give_back(context, worker);
    return completed;
}

struct den_embed_source den_embed_source_of(struct den_roster *roster)
{
    return (struct den_embed_source){ .context = roster, .embed = embed, .rewrite = rewrite };
}
