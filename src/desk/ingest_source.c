/* Embedding by the roster's workers. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/ingest.h"
#include "desk/roster.h"

static enum den_status take(void *context, void **out_handle, char out_name[128], size_t *out_width,
                            struct den_error *err)
{
    const struct den_worker_info *info;
    struct den_worker *worker;

    if (den_roster_take(context, NULL, DEN_WORKER_EMBEDDING, &worker, err) != DEN_OK)
        return err->status;
    info = den_worker_info(worker);
    snprintf(out_name, 128, "%s", info->model_name);
    *out_width = info->width;
    *out_handle = worker;
    return DEN_OK;
}

static bool name(void *context, char out_name[128])
{
    struct den_roster_entry *entries;
    struct den_error ignored = { 0 };
    bool found = false;
    size_t count, i;

    if (den_roster_list(context, &entries, &count, &ignored) != DEN_OK)
        return false;
    for (i = 0; i < count && !found; i++) {
        found = entries[i].role == DEN_WORKER_EMBEDDING && entries[i].is_role_default;
        if (found)
            snprintf(out_name, 128, "%s", entries[i].name);
    }
    free(entries);
    return found;
}

static void give_back(void *context, void *handle)
{
    den_roster_give_back(context, handle);
}

static enum den_status count_tokens(void *handle, const char *const *texts, const size_t *lengths,
                                    size_t count, size_t *out_counts, struct den_error *err)
{
    size_t i;

    for (i = 0; i < count && err->status == DEN_OK; i++) {
        json_t *ids = json_array();

        if (den_worker_tokenize(handle, texts[i], lengths[i], 0, ids, err) == DEN_OK)
            out_counts[i] = json_array_size(ids);
        json_decref(ids);
    }
    return err->status;
}

/* Behind everybody who waits for an answer. */
static enum den_status embed(void *handle, const char *const *texts, const size_t *lengths,
                             size_t count, float *out_vectors, struct den_error *err)
{
    const struct den_worker_embed_request request = {
        .texts = texts, .lengths = lengths, .count = count, .truncate = true, .batch = true
    };

    return den_worker_embed(handle, &request, out_vectors, NULL, err);
}

struct den_ingest_source den_ingest_source_of(struct den_roster *roster)
{
    return (struct den_ingest_source){ .context = roster,
                                       .take = take,
                                       .give_back = give_back,
                                       .name = name,
                                       .count = count_tokens,
                                       .embed = embed };
}
