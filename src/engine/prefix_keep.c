/* See prefix_keep.h. The file's tree and the one in memory know nothing of each other: the slot of
 * a page is found by walking its text from the beginning, a hash table step a page, so that no
 * eviction in one has to be told to the other. */
#include "engine/prefix_keep.h"

#include <string.h>

#include "base/clock.h"
#include "engine/engine_parts.h"
#include "engine/prefix_file.h"

/* Everything that keys and values depend on, besides the tokens. */
static void make_identity(const struct den_engine *engine,
                          const struct den_prefix_keep_options *options,
                          unsigned char out[DEN_PREFIX_IDENTITY_BYTES])
{
    const struct den_kv_layout *layout = den_kv_pool_layout(engine->pool);
    const uint64_t facts[] = { layout->layers,         layout->kv_heads,
                               layout->head_width,     layout->value_width,
                               layout->page_tokens,    layout->type,
                               engine->context_tokens, den_model_precision(engine->model) };
    uint64_t i;

    for (i = 0; i < DEN_PREFIX_IDENTITY_BYTES / 8; i++) {
        uint64_t sum = den_prefix_checksum(facts, sizeof facts, i);

        sum = den_prefix_checksum(options->identity, options->identity_bytes, sum);
        sum = den_prefix_checksum(DEN_VERSION, strlen(DEN_VERSION), sum);
        memcpy(out + 8 * i, &sum, 8);
    }
}

enum den_status den_engine_keep_prefixes(struct den_engine *engine,
                                         const struct den_prefix_keep_options *options,
                                         struct den_error *err)
{
    struct den_prefix_file_options file = {
        .descriptor = options->descriptor,
        .bytes_max = options->bytes_max,
        .page_tokens = DEN_PAGE_TOKENS,
        .page_bytes = den_kv_pool_page_bytes(engine->pool),
        .vocabulary = den_engine_description(engine)->vocabulary,
        .now = den_clock_unix(),
    };

    if (engine->no_prefix_reuse)
        return DEN_OK;
    make_identity(engine, options, file.identity);
    return den_prefix_file_open(&file, &engine->prefix_file, err);
}

/* The pages from the beginning of the text to `page` go to engine->found. */
static size_t find_path(struct den_engine *engine, int32_t page)
{
    size_t count = 0, last;
    int32_t at;

    for (at = page; at != DEN_PREFIX_ROOT; at = den_prefix_tree_parent(engine->tree, at))
        count++;
    last = count;
    for (at = page; at != DEN_PREFIX_ROOT; at = den_prefix_tree_parent(engine->tree, at))
        engine->found[--last] = at;
    return count;
}

/* The first page of the path that the file lacks is written. *out_left: pages behind it. */
static int32_t write_next(struct den_engine *engine, size_t count, size_t *out_left)
{
    struct den_prefix_file *file = engine->prefix_file;
    const int64_t now = den_clock_unix();
    int32_t slot = DEN_PREFIX_SLOT_NONE;
    size_t i;

    for (i = 0; i < count; i++) {
        int32_t page = engine->found[i], parent = slot;
        const int32_t *tokens = den_prefix_tree_tokens(engine->tree, page);

        slot = den_prefix_file_find(file, parent, tokens);
        *out_left = count - 1 - i;
        if (slot < 0)
            return den_prefix_file_write(file, parent, tokens, den_kv_pool_page(engine->pool, page),
                                         now);
    }
    den_prefix_file_touch(file, slot, now);
    return slot;
}

bool den_engine_write_prefix(struct den_engine *engine)
{
    int32_t marked = engine->prefix_file ? den_prefix_tree_marked(engine->tree) : DEN_PREFIX_ROOT;
    size_t left = 0;

    if (marked == DEN_PREFIX_ROOT)
        return false;
    if (write_next(engine, find_path(engine, marked), &left) < 0 || left == 0)
        den_prefix_tree_mark(engine->tree, marked, false); /* it is there, or there is no room */
    return true;
}

size_t den_engine_load_prefix(struct den_engine *engine, const den_token *prompt, size_t count,
                              size_t most)
{
    struct den_prefix_file *file = engine->prefix_file;
    int32_t parent = count > 0 ? engine->found[count - 1] : DEN_PREFIX_ROOT;
    int32_t slot = DEN_PREFIX_SLOT_NONE;
    const size_t first = count;
    size_t i;

    for (i = 0; file && i < count && (i == 0 || slot >= 0); i++)
        slot = den_prefix_file_find(file, slot, prompt + i * DEN_PAGE_TOKENS);
    if (!file || (count > 0 && slot < 0))
        return 0;
    for (; (count + 1) * DEN_PAGE_TOKENS <= most; count++) {
        const den_token *tokens = prompt + count * DEN_PAGE_TOKENS;
        int32_t page;

        slot = den_prefix_file_find(file, slot, tokens);
        page = slot >= 0 ? den_prefix_tree_take(engine->tree) : DEN_PREFIX_ROOT;
        if (page == DEN_PREFIX_ROOT)
            break;
        if (!den_prefix_file_read(file, slot, den_clock_unix(),
                                  den_kv_pool_page(engine->pool, page))) {
            den_prefix_tree_release(engine->tree, page);
            break;
        }
        engine->found[count] = parent = den_prefix_tree_add(engine->tree, parent, tokens, page);
    }
    return count - first;
}
