/* Attention on the CPU: blocks of queries against pages of the cache.
 *
 * The cost of decoding at depth must be that of reading the cache once. Therefore the unit of work
 * is a block of query rows of one sequence with all the query heads that share one key head: each
 * tile of 64 tokens is loaded once for all of them. One row of a model with 9 heads on 3 key heads
 * is a block of 3 queries; in a prompt 16 rows make a block of 48.
 *
 * A block walks the cache in tiles: scores, softmax, weighted values (kernels/attention.h). Tiles
 * lie in chunks of 128 tokens. Each chunk starts a fresh softmax, and its result is merged into the
 * chunks before it, in their order. That costs nothing and buys two things: where there are fewer
 * blocks than would keep the team busy (one sequence, few key heads, a long cache), chunks become
 * work items of their own whose results wait in the workspace for the merge; and the result is bit
 * for bit the same either way, whatever the number of threads and whoever else is in the batch,
 * because boundaries of tiles and chunks depend on positions alone. */
#include <math.h>
#include <string.h>

#include "device/cpu/cpu_device.h"

enum {
    SERIAL_WORK = 100000, /* multiplications done in the time of a wake and a barrier */
    RUNS_PER_THREAD = 4,
    RUN_MAX = 4
};

struct job {
    struct den_device *device;
    const struct den_attention *op;
    const struct den_kv_layout *layout;
    size_t group;       /* query heads of one key head */
    size_t blocks;      /* in workspace.blocks */
    size_t items;       /* work items in all */
    size_t queries_max; /* of any block */
    size_t run;         /* items that one thread takes at a time */
    bool split;         /* items are chunks; else whole (block, key head) units */
};

/* Weighted values of one chunk, not yet divided by the sums in `states`. */
struct partial {
    float *output;              /* (queries, value_width) */
    struct den_softmax *states; /* (queries) */
    struct den_attention_scratch *own;
    const unsigned char *ahead; /* keys that are read next; NULL: nobody knows */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Tokens [*begin, end) of one chunk as a block sees them; `begin` is rounded down to a vector. */
static size_t chunk_range(const struct job *job, const struct den_attention_block *block,
                          size_t chunk, size_t *begin)
{
    const int32_t *position = job->op->where->position + block->row;
    size_t first = (size_t)position[0] + 1, end = (size_t)position[block->rows - 1] + 1;
    size_t lowest = job->op->window && first > job->op->window ? first - job->op->window : 0;

    *begin = chunk * block->chunk_width;
    if (*begin < lowest)
        *begin = lowest / 16 * 16;
    return smaller(end, (chunk + 1) * block->chunk_width);
}

/* The softmax of one tile's scores for each query; earlier values in `output` shrink with it. */
static void softmax_tile(const struct job *job, const struct den_attention_block *block,
                         size_t token, size_t count, const struct partial *partial)
{
    const struct den_kernels *kernels = &job->device->kernels;
    const struct den_attention *op = job->op;
    size_t width = job->layout->value_width, query;

    for (query = 0; query < block->rows * job->group; query++) {
        size_t seen = (size_t)op->where->position[block->row + query / job->group] + 1;
        size_t lowest = op->window && seen > op->window ? seen - op->window : 0;
        size_t a = lowest > token ? smaller(lowest - token, count) : 0;
        size_t b = seen > token ? smaller(seen - token, count) : 0;
        float *scores = partial->own->scores + query * DEN_ATTENTION_TILE;
        float shrink;

        if (a >= b) {
            memset(scores, 0, count * sizeof *scores);
            continue;
        }
        memset(scores, 0, a * sizeof *scores);
        memset(scores + b, 0, (count - b) * sizeof *scores);
        shrink = kernels->attention.softmax(scores + a, b - a, op->scale, op->softcap,
                                            &partial->states[query]);
        if (shrink != 1)
            kernels->vector.scale(partial->output + query * width, shrink, width,
                                  partial->output + query * width);
    }
}

static void (*multiply_of(const struct den_attention_kernels *kernels,
                          enum den_type type))(const struct den_small_product *product)
{
    if (type == DEN_TYPE_Q8_0)
        return kernels->multiply_i8;
    return type == DEN_TYPE_F16 ? kernels->multiply_f16 : kernels->multiply_f32;
}

/* The page with keys and values of `token`, as `block` sees it. */
static int32_t page_of(const struct job *job, const struct den_attention_block *block, size_t token)
{
    const struct den_rows *where = job->op->where;

    return where->pages[where->sequence[block->row]][token / job->layout->page_tokens];
}

/* Keys of the page that holds `token`. */
static const unsigned char *keys_of(const struct job *job, const struct den_attention_block *block,
                                    size_t kv_head, size_t token)
{
    return den_kv_keys(job->op->pool, page_of(job, block, token), job->op->layer, kv_head);
}

/* Those that chunk `chunk` reads first. */
static const unsigned char *keys_of_chunk(const struct job *job,
                                          const struct den_attention_block *block, size_t kv_head,
                                          size_t chunk)
{
    size_t token;

    chunk_range(job, block, chunk, &token);
    return keys_of(job, block, kv_head, token);
}

/* One tile: tokens [token, token + count) of one page. While scores are computed the values are
 * fetched, and the keys of the next tile (partial->ahead) while those are summed. */
static void attend_tile(const struct job *job, const struct den_attention_block *block,
                        size_t kv_head, size_t token, size_t count, const struct partial *partial)
{
    struct den_attention_scratch *own = partial->own;
    const struct den_kernels *kernels = &job->device->kernels;
    const struct den_kv_layout *layout = job->layout;
    const struct den_attention *op = job->op;
    size_t queries = block->rows * job->group;
    size_t slot = token % layout->page_tokens, padded = (count + 15) / 16 * 16;
    size_t value_bytes = layout->value_width * op->pool->element_bytes;
    int32_t page = page_of(job, block, token);
    const unsigned char *keys = den_kv_keys(op->pool, page, op->layer, kv_head);
    const unsigned char *values = den_kv_values(op->pool, page, op->layer, kv_head);
    const float *scales = den_kv_scales(op->pool, page, op->layer, kv_head) + slot;
    void (*multiply)(const struct den_small_product *product) =
        multiply_of(&kernels->attention, layout->type);
    struct den_small_product scores = {
        .left = own->queries,
        .left_stride = layout->head_width,
        .queries = queries,
        .depth = layout->head_width,
        .right = keys + slot * op->pool->element_bytes,
        .right_stride = layout->page_tokens,
        .columns = padded,
        .output = own->scores,
        .output_stride = DEN_ATTENTION_TILE,
        .ahead = values + slot * value_bytes,
        .ahead_bytes = count * value_bytes,
    };
    struct den_small_product weighted = {
        .left = own->scores,
        .left_stride = DEN_ATTENTION_TILE,
        .queries = queries,
        .depth = count,
        .right = values + slot * value_bytes,
        .right_stride = layout->value_width,
        .columns = layout->value_width,
        .output = partial->output,
        .output_stride = layout->value_width,
        .accumulate = 1,
        .ahead = partial->ahead,
        .ahead_bytes = layout->head_width * layout->page_tokens * op->pool->element_bytes,
    };

    multiply(&scores);
    if (layout->type == DEN_TYPE_Q8_0)
        kernels->attention.scale_columns(own->scores, DEN_ATTENTION_TILE, queries, count, scales);
    softmax_tile(job, block, token, count, partial);
    if (layout->type == DEN_TYPE_Q8_0)
        kernels->attention.scale_columns(own->scores, DEN_ATTENTION_TILE, queries, count,
                                         scales + layout->page_tokens);
    multiply(&weighted);
}

/* One chunk from its start. `after`: keys that are read after it; NULL: nobody knows. */
static void attend_chunk(const struct job *job, const struct den_attention_block *block,
                         size_t kv_head, size_t chunk, struct partial partial,
                         const unsigned char *after)
{
    size_t queries = block->rows * job->group, page_tokens = job->layout->page_tokens, i;
    size_t token, end = chunk_range(job, block, chunk, &token);

    memset(partial.output, 0, queries * job->layout->value_width * sizeof *partial.output);
    for (i = 0; i < queries; i++)
        partial.states[i] = (struct den_softmax){ .maximum = -INFINITY };
    while (token < end) {
        size_t tile_end = (token / DEN_ATTENTION_TILE + 1) * DEN_ATTENTION_TILE;

        tile_end = smaller(tile_end, (token / page_tokens + 1) * page_tokens);
        tile_end = smaller(tile_end, end);
        partial.ahead = tile_end < end ? keys_of(job, block, kv_head, tile_end) : after;
        attend_tile(job, block, kv_head, token, tile_end - token, &partial);
        token = tile_end;
    }
}

/* Adds one chunk's result to that of the chunks before it. */
static void merge_chunk(const struct job *job, size_t queries, const float *partial,
                        const struct den_softmax *partial_states, struct den_attention_scratch *own)
{
    const struct den_vector_kernels *vector = &job->device->kernels.vector;
    size_t width = job->layout->value_width, query;

    for (query = 0; query < queries; query++) {
        const struct den_softmax *more = &partial_states[query];
        struct den_softmax *sum = &own->total_state[query];
        float *total = own->total + query * width;
        float maximum = sum->maximum > more->maximum ? sum->maximum : more->maximum;
        float keep, add;

        if (more->sum <= 0) /* a window that ends before this chunk, or starts after it */
            continue;
        keep = expf(sum->maximum - maximum);
        add = expf(more->maximum - maximum);
        if (keep < 1)
            vector->scale(total, keep, width, total);
        vector->add_scaled(partial + query * width, add, width, total);
        sum->sum = sum->sum * keep + more->sum * add;
        sum->maximum = maximum;
    }
}

static void load_queries(const struct job *job, const struct den_attention_block *block,
                         size_t kv_head, struct den_attention_scratch *own)
{
    size_t row, run = job->group * job->layout->head_width;

    for (row = 0; row < block->rows; row++)
        memcpy(own->queries + row * run,
               job->op->queries + (block->row + row) * job->op->stride + kv_head * run,
               run * sizeof(float));
}

static void begin_total(const struct job *job, size_t queries, struct den_attention_scratch *own)
{
    size_t i;

    memset(own->total, 0, queries * job->layout->value_width * sizeof(float));
    for (i = 0; i < queries; i++)
        own->total_state[i] = (struct den_softmax){ .maximum = -INFINITY };
}

static void store_output(const struct job *job, const struct den_attention_block *block,
                         size_t kv_head, const struct den_attention_scratch *own)
{
    size_t width = job->layout->value_width, query;

    for (query = 0; query < block->rows * job->group; query++) {
        size_t row = block->row + query / job->group;
        size_t head = kv_head * job->group + query % job->group;

        job->device->kernels.vector.scale(own->total + query * width,
                                          1 / own->total_state[query].sum, width,
                                          job->op->output + (row * job->op->heads + head) * width);
    }
}

/* A block and key head from first to last chunk. */
static void attend_unit(const struct job *job, const struct den_attention_block *block,
                        size_t kv_head, struct den_attention_scratch *own,
                        const unsigned char *after)
{
    const struct partial partial = { own->partial, own->partial_state, own, NULL };
    size_t queries = block->rows * job->group, chunk;

    load_queries(job, block, kv_head, own);
    begin_total(job, queries, own);
    for (chunk = 0; chunk < block->chunks; chunk++) {
        attend_chunk(job, block, kv_head, block->first + chunk, partial,
                     chunk + 1 < block->chunks
                         ? keys_of_chunk(job, block, kv_head, block->first + chunk + 1)
                         : after);
        merge_chunk(job, queries, own->partial, own->partial_state, own);
    }
    store_output(job, block, kv_head, own);
}

/* The block that holds work item `item`. */
static const struct den_attention_block *block_of(const struct job *job, size_t item)
{
    const struct den_attention_block *blocks = job->device->workspace.blocks;
    size_t low = 0, high = job->blocks;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (blocks[middle].item <= item)
            low = middle;
        else
            high = middle;
    }
    return &blocks[low];
}

/* Which of the block's units and chunks work item `item` is. */
static size_t kv_head_of(const struct job *job, const struct den_attention_block *block,
                         size_t item)
{
    return (item - block->item) / (job->split ? block->chunks : 1);
}

static size_t chunk_of(const struct job *job, const struct den_attention_block *block, size_t item)
{
    return block->first + (job->split ? (item - block->item) % block->chunks : 0);
}

/* The keys that work item `item` reads first. */
static const unsigned char *keys_of_item(const struct job *job, size_t item)
{
    const struct den_attention_block *block = block_of(job, item);

    return keys_of_chunk(job, block, kv_head_of(job, block, item), chunk_of(job, block, item));
}

static void attend_item(const struct job *job, size_t item, int member, const unsigned char *after)
{
    struct den_workspace *workspace = &job->device->workspace;
    struct den_attention_scratch *own = &workspace->own[member];
    const struct den_attention_block *block = block_of(job, item);
    size_t kv_head = kv_head_of(job, block, item), slot = item * job->queries_max;
    const struct partial partial = { workspace->partials + slot * job->layout->value_width,
                                     workspace->partial_states + slot, own, NULL };

    if (!job->split) {
        attend_unit(job, block, kv_head, own, after);
        return;
    }
    load_queries(job, block, kv_head, own);
    attend_chunk(job, block, kv_head, chunk_of(job, block, item), partial, after);
}

/* After a split: the chunks of unit `unit` (block, key head), merged in order. */
static void merge_unit(const struct job *job, size_t unit, int member)
{
    struct den_workspace *workspace = &job->device->workspace;
    struct den_attention_scratch *own = &workspace->own[member];
    const struct den_attention_block *block = &workspace->blocks[unit / job->layout->kv_heads];
    size_t kv_head = unit % job->layout->kv_heads, chunk;

    begin_total(job, block->rows * job->group, own);
    for (chunk = 0; chunk < block->chunks; chunk++) {
        size_t slot = (block->item + kv_head * block->chunks + chunk) * job->queries_max;

        merge_chunk(job, block->rows * job->group,
                    workspace->partials + slot * job->layout->value_width,
                    workspace->partial_states + slot, own);
    }
    store_output(job, block, kv_head, own);
}

static void attend(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    size_t first, end, i;

    /* from the last: late rows of a prompt see most and take longest */
    while ((first = den_team_claim(team, job->run)) < job->items) {
        end = smaller(first + job->run, job->items);
        for (i = first; i < end; i++)
            attend_item(job, job->items - 1 - i, member,
                        i + 1 < end ? keys_of_item(job, job->items - 2 - i) : NULL);
    }
}

static void merge(void *context, struct den_team *team, int member)
{
    const struct job *job = context;
    size_t units = job->blocks * job->layout->kv_heads, i;

    while ((i = den_team_claim(team, 1)) < units)
        merge_unit(job, i, member);
}

/* Cuts the batch into blocks and returns the number of multiplications, for want of a better
 * measure of work. */
static size_t plan_blocks(struct job *job)
{
    const struct den_rows *where = job->op->where;
    struct den_attention_block *blocks = job->device->workspace.blocks;
    size_t rows_max = DEN_ATTENTION_QUERIES / job->group, row = 0, work = 0;

    if (rows_max == 0)
        rows_max = 1;
    job->blocks = job->queries_max = 0;
    while (row < where->rows) {
        struct den_attention_block *block = &blocks[job->blocks++];
        size_t seen, lowest = 0;

        *block = (struct den_attention_block){ .row = row, .rows = 1 };
        seen = (size_t)where->position[row] + 1;
        if (job->op->window && seen > job->op->window)
            lowest = seen - job->op->window;
        block->chunk_width = DEN_ATTENTION_CHUNK;
        while (seen > block->chunk_width * DEN_ATTENTION_CHUNKS)
            block->chunk_width *= 2;
        /* rows that would have wider chunks by themselves go into the next block */
        for (row++; row < where->rows && block->rows < rows_max &&
                    where->sequence[row] == where->sequence[block->row] &&
                    (size_t)where->position[row] < block->chunk_width * DEN_ATTENTION_CHUNKS;
             row++)
            block->rows++;
        seen = (size_t)where->position[row - 1] + 1;
        block->first = lowest / block->chunk_width;
        block->chunks = (seen + block->chunk_width - 1) / block->chunk_width - block->first;
        if (job->queries_max < block->rows * job->group)
            job->queries_max = block->rows * job->group;
        work += block->rows * (seen - lowest) * job->op->heads * job->layout->head_width * 2;
    }
    return work;
}

static void number_items(struct job *job)
{
    struct den_attention_block *blocks = job->device->workspace.blocks;
    size_t i;

    job->items = 0;
    for (i = 0; i < job->blocks; i++) {
        blocks[i].item = job->items;
        job->items += job->layout->kv_heads * (job->split ? blocks[i].chunks : 1);
    }
}

/* Decides what a work item is and numbers them, and how many are taken at a time: several, so that
 * what is read next is known and can be fetched, but few enough that nobody waits for the last. */
static void plan_items(struct job *job)
{
    struct den_workspace *workspace = &job->device->workspace;
    size_t units = job->blocks * job->layout->kv_heads, chunks = 0, i;
    int threads = job->device->threads;

    for (i = 0; i < job->blocks; i++)
        chunks += workspace->blocks[i].chunks * job->layout->kv_heads;
    job->split = threads > 1 && units < 4 * (size_t)threads && chunks > units &&
                 chunks * job->queries_max <= workspace->partials_max;
    number_items(job);
    job->run = job->items / (RUNS_PER_THREAD * (size_t)threads);
    job->run = job->run < 1 ? 1 : smaller(job->run, RUN_MAX);
}

void den_device_attention(struct den_device *device, const struct den_attention *op)
{
    const struct den_kv_layout *layout = &op->pool->layout;
    struct job job = {
        .device = device, .op = op, .layout = layout, .group = op->heads / layout->kv_heads
    };
    size_t work, i;

    assert(op->where->rows <= device->workspace.rows && op->heads <= device->workspace.heads);
    assert(layout->head_width <= device->workspace.head_width);
    assert(layout->value_width <= device->workspace.head_width);
    assert(op->heads % layout->kv_heads == 0);
    if (op->where->rows == 0)
        return;
    work = plan_blocks(&job);
    plan_items(&job);
    if (work > SERIAL_WORK && device->threads > 1) {
        den_team_share(device->team, attend, &job);
        if (job.split)
            den_team_share(device->team, merge, &job);
        return;
    }
    job.split = false;
    number_items(&job);
    for (i = 0; i < job.items; i++)
        attend_item(&job, i, 0, i + 1 < job.items ? keys_of_item(&job, i + 1) : NULL);
}
