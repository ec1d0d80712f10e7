/* den search: passages of the documents that were added, with all that led to each. */
#include <stdio.h>
#include <string.h>

#include "cli/asked_documents.h"
#include "cli/model_options.h"

enum { TEXT_COLUMNS = 300 };

/* The first characters of a passage, in one line. */
static void print_text(const char *text)
{
    size_t printed = 0;
    bool has_gap = false;

    printf("    ");
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ') {
            has_gap = true;
            continue;
        }
        if (printed > TEXT_COLUMNS && (*text & 0xc0) != 0x80) /* not within a character */
            break;
        if (has_gap && printed > 0)
            putchar(' ');
        has_gap = false;
        putchar(*text);
        printed++;
    }
    printf("%s\n", *text ? "..." : "");
}

static void print_hit(size_t number, const json_t *hit)
{
    const json_t *part = json_object_get(hit, "part");
    const char *heading = json_string_value(json_object_get(hit, "heading"));
    const json_t *cosine = json_object_get(hit, "cosine");
    const json_t *rerank = json_object_get(hit, "rerank_score");

    printf("%zu. %s, %s %lld%s%s\n", number, json_string_value(json_object_get(hit, "name")),
           json_string_value(json_object_get(part, "kind")),
           (long long)json_integer_value(json_object_get(part, "number")), *heading ? ", " : "",
           heading);
    printf("    fused %.4f   words: rank %lld, BM25 %.2f   meaning: rank %lld",
           json_number_value(json_object_get(hit, "fused")),
           (long long)json_integer_value(json_object_get(hit, "word_rank")),
           json_number_value(json_object_get(hit, "bm25")),
           (long long)json_integer_value(json_object_get(hit, "vector_rank")));
    if (json_is_number(cosine))
        printf(", cosine %.3f", json_number_value(cosine));
    if (json_is_number(rerank))
        printf("   reranked: %lld, %.3f",
               (long long)json_integer_value(json_object_get(hit, "rerank_rank")),
               json_number_value(rerank));
    putchar('\n');
    print_text(json_string_value(json_object_get(hit, "text")));
}

static void print_found(const json_t *found)
{
    const char *model = json_string_value(json_object_get(found, "reranked_by"));
    json_t *hit;
    size_t i;

    json_array_foreach(json_object_get(found, "hits"), i, hit) print_hit(i + 1, hit);
    printf("%s (confidence %.2f, %lld passages searched%s%s)\n",
           json_is_true(json_object_get(found, "found")) ? "found" : "nothing that answers this",
           json_number_value(json_object_get(found, "confidence")),
           (long long)json_integer_value(json_object_get(found, "searched")),
           model ? ", reranked by " : "", model ? model : "");
}

/* {"query", "count", "workspace", "rerank"} as /api/search takes it. */
static enum den_status make_fields(const struct den_arguments *arguments,
                                   struct den_cli_documents *open, json_t **out,
                                   struct den_error *err)
{
    const char *name = den_argument_text(arguments, "workspace");
    json_t *workspace = NULL;

    if (name && den_workspace_by_name(open->files.threads, name, &workspace, err) != DEN_OK)
        return err->status;
    *out = json_pack("{s:s, s:I, s:O?, s:s}", "query", den_operand(arguments, 0), "count",
                     (json_int_t)den_argument_integer(arguments, "count"), "workspace",
                     json_object_get(workspace, "id"), "rerank",
                     den_argument_text(arguments, "rerank"));
    json_decref(workspace);
    return *out ? DEN_OK : den_fail(err, DEN_INVALID, "the question is not valid UTF-8");
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    json_t *fields = NULL, *found = NULL;
    struct den_cli_documents open;

    if (den_cli_documents_open(NULL, &open, err) != DEN_OK)
        return err->status;
    if (make_fields(arguments, &open, &fields, err) == DEN_OK &&
        den_retrieval_answer(open.retrieval, open.files.threads, fields, &found, err) == DEN_OK) {
        if (den_argument_flag(arguments, "json"))
            den_cli_print_json(json_incref(found), err);
        else
            print_found(found);
    }
    json_decref(fields);
    json_decref(found);
    den_cli_documents_close(&open);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "workspace",
      .letter = 'w',
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "search the documents of this workspace; without it, all" },
    { .name = "count",
      .letter = 'n',
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "6",
      .minimum = 1,
      .maximum = DEN_RETRIEVAL_COUNT_MAX,
      .help = "passages shown" },
    { .name = "rerank",
      .kind = DEN_OPTION_TEXT,
      .fallback = "auto",
      .choices = "auto|off|cross_encoder|language_model",
      .help = "which model reads the best passages again; auto: a cross-encoder where one is "
              "installed" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_search = {
    .name = "search",
    .summary = "find passages in your documents",
    .operands = "QUESTION",
    .operands_min = 1,
    .operands_max = 1,
    .description = "Searches by words (BM25) and by meaning (cosine of an embedding model) at once "
                   "and prints the passages with both ranks and what they were fused to. No "
                   "language model is asked unless --rerank says so; without an embedding model "
                   "words alone decide.",
    .examples = "den search \"notice period\"\n"
                "den search --workspace House --count 3 \"Who signed the lease?\"\n"
                "den search --json rent\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
