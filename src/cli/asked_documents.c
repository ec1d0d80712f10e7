/* See asked_documents.h. */
#include "cli/asked_documents.h"

enum den_status den_cli_documents_open(const char *model, struct den_cli_documents *out,
                                       struct den_error *err)
{
    const struct den_roster_options options = { .chat_model = model };
    struct den_embed_source source;
    struct den_rerank_source rerank;

    *out = (struct den_cli_documents){ 0 };
    if (den_cli_threads_open(&out->files, err) != DEN_OK)
        return err->status;
    if (den_roster_create(&options, &out->roster, err) != DEN_OK ||
        den_space_open(out->files.database, &out->space, err) != DEN_OK)
        goto fail;
    source = den_embed_source_of(out->roster);
    if (den_retrieval_open(out->space, &source, &out->retrieval, err) != DEN_OK)
        goto fail;
    rerank = den_rerank_source_of(out->roster);
    den_retrieval_rerank_with(out->retrieval, &rerank);
    return DEN_OK;
fail:
    den_cli_documents_close(out);
    return err->status;
}

void den_cli_documents_close(struct den_cli_documents *open)
{
    den_retrieval_close(open->retrieval);
    den_space_close(open->space);
    den_roster_destroy(open->roster);
    den_cli_threads_close(&open->files);
    *open = (struct den_cli_documents){ 0 };
}
