/* See chunks.h.
 *
 * Units (chunk_units.h) are taken in order and put into the open chunk while it holds them. It is
 * closed before a heading, before a block once it is long enough, and before what would make it
 * too long; headings at its end then go over to the next, so that no heading stands alone. The
 * share of its context is bounded: the path of headings has a quarter of the tokens, a table's
 * head another, a unit at most half; so every unit fits into a chunk of its own.
 *
 * Small sections may share a chunk; its path is then what their paths have in common. */
#include "input/chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "input/chunk_units.h"

enum {
    TOKENS_MAX_DEFAULT = 220, /* MiniLM reads 256 with two of its own */
    TOKENS_GOOD_DEFAULT = 160,
    TITLE_BYTES_MAX = 200,
    HEADING_BYTES_MAX = 2048
};
static const char separator[] = " > ";

struct chunker {
    const struct den_part *part;
    const struct den_chunk_options *options;
    size_t tokens_max, tokens_good;
    struct den_units units;
    struct den_heading_path *path;
    char *path_text; /* of `path`, as a chunk has it; within its share of tokens */
    size_t path_tokens;
    /* the open chunk: units [first, next) */
    size_t first, next;
    size_t tokens;               /* of its units and its context */
    size_t content_tokens;       /* of what is no heading */
    char *heading;               /* NULL while it has no content */
    size_t head_start, head_end; /* of the head row of a table that it goes on with */
    struct den_chunk *chunks;
    size_t count, capacity;
};

/* --- the path of headings --- */

void den_heading_path_free(struct den_heading_path *path)
{
    size_t i;

    for (i = 0; i < 6; i++)
        free(path->titles[i]);
    free(path->label);
    *path = (struct den_heading_path){ 0 };
}

/* Sheets, slides, mails and files begin anew; pages and chapters go on. */
static enum den_status enter_part(struct chunker *chunker, struct den_error *err)
{
    const struct den_part *part = chunker->part;
    struct den_heading_path *path = chunker->path;
    bool same = path->label && path->kind == part->kind && path->number == part->number &&
                strcmp(path->label, part->label) == 0;
    bool goes_on = part->kind == DEN_PART_PAGE || part->kind == DEN_PART_SECTION;
    char *label;

    if (same)
        return DEN_OK;
    if (!goes_on)
        den_heading_path_free(path);
    label = strdup(part->label);
    if (!label)
        return den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
    free(path->label);
    path->label = label;
    path->kind = part->kind;
    path->number = part->number;
    return DEN_OK;
}

static bool shows_label(const struct den_part *part)
{
    return part->label[0] && part->kind != DEN_PART_PAGE && part->kind != DEN_PART_SECTION;
}

static enum den_status count_one(const struct chunker *chunker, const char *text, size_t *out,
                                 struct den_error *err)
{
    size_t length = strlen(text);

    *out = 0;
    if (length == 0)
        return DEN_OK;
    return chunker->options->count_tokens(chunker->options->context, &text, &length, 1, out, err);
}

/* The end of `text` that takes at most `length` bytes, from a character on. */
static const char *tail_of(const char *text, size_t length)
{
    const char *tail = text + strlen(text) - length;

    while (*tail && ((unsigned char)*tail & 0xC0) == 0x80)
        tail++;
    return tail;
}

static void join_path(const struct chunker *chunker, struct den_buffer *out)
{
    size_t i;

    if (shows_label(chunker->part))
        den_buffer_append(out, chunker->part->label,
                          strnlen(chunker->part->label, TITLE_BYTES_MAX));
    out->length -= den_utf8_incomplete_tail(out->data, out->length);
    for (i = 0; i < 6; i++) {
        if (!chunker->path->titles[i])
            continue;
        if (out->length > 0)
            den_buffer_append_text(out, separator);
        den_buffer_append_text(out, chunker->path->titles[i]);
    }
}

/* Makes path_text anew. A path beyond its share loses its outermost titles, then its beginning. */
static enum den_status show_path(struct chunker *chunker, struct den_error *err)
{
    size_t share = chunker->tokens_max / 4;
    struct den_buffer joined;
    const char *text;
    char *copy;

    den_buffer_init(&joined, HEADING_BYTES_MAX);
    join_path(chunker, &joined);
    if (den_buffer_status(&joined, "chunks", err) != DEN_OK)
        goto done;
    text = joined.data;
    if (count_one(chunker, text, &chunker->path_tokens, err) != DEN_OK)
        goto done;
    while (chunker->path_tokens > share && *text) {
        const char *inner = strstr(text, separator);

        text = inner ? inner + strlen(separator) : tail_of(text, strlen(text) / 2);
        if (count_one(chunker, text, &chunker->path_tokens, err) != DEN_OK)
            goto done;
    }
    copy = strdup(text);
    if (!copy) {
        den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
        goto done;
    }
    free(chunker->path_text);
    chunker->path_text = copy;
done:
    den_buffer_deinit(&joined);
    return err->status;
}

/* A heading closes those of its level and below. */
static enum den_status enter_heading(struct chunker *chunker, const struct den_block *block,
                                     struct den_error *err)
{
    size_t length = block->end - block->start;
    const char *text = chunker->part->text + block->start;
    size_t level = block->level > 0 ? (size_t)block->level : 1;
    char *title;
    size_t i;

    if (length > TITLE_BYTES_MAX)
        length = TITLE_BYTES_MAX;
    length -= den_utf8_incomplete_tail(text, length);
    title = strndup(text, length);
    if (!title)
        return den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
    for (i = 0; i < length; i++)
        if (strchr("\t\n", title[i]))
            title[i] = ' ';
    for (i = level - 1; i < 6; i++) {
        free(chunker->path->titles[i]);
        chunker->path->titles[i] = NULL;
    }
    chunker->path->titles[level - 1] = title;
    return show_path(chunker, err);
}

/* Cuts `heading` to what it shares with `other`, by whole titles. */
static void keep_common(char *heading, const char *other)
{
    size_t same = 0, kept = 0;

    while (heading[same] && heading[same] == other[same]) {
        same++;
        if (strncmp(heading + same, separator, strlen(separator)) == 0 &&
            (other[same] == '\0' || strncmp(other + same, separator, strlen(separator)) == 0))
            kept = same;
    }
    if (heading[same] == '\0' &&
        (other[same] == '\0' || strncmp(other + same, separator, strlen(separator)) == 0))
        kept = same;
    heading[kept] = '\0';
}

/* --- the open chunk --- */

static const struct den_block *block_of(const struct chunker *chunker, size_t unit)
{
    return &chunker->part->blocks[chunker->units.items[unit].block];
}

static bool is_heading(const struct chunker *chunker, size_t unit)
{
    return block_of(chunker, unit)->kind == DEN_BLOCK_HEADING;
}

/* The table's head for a chunk that begins with `unit` in the middle of it; the tokens that it
 * takes, with what is written between its cells. */
static size_t find_head(struct chunker *chunker, size_t unit)
{
    const struct den_block *block = block_of(chunker, unit);
    const struct den_unit *row;
    size_t head = unit, tokens, at;

    chunker->head_start = chunker->head_end = 0;
    if (block->kind != DEN_BLOCK_TABLE || chunker->units.items[unit].first)
        return 0;
    while (head > 0 && !chunker->units.items[head].first)
        head--;
    row = &chunker->units.items[head];
    tokens = row->tokens + 1;
    for (at = row->start; at < row->end; at++)
        tokens += chunker->part->text[at] == '\t';
    if (row->cuts > 0 || tokens > chunker->tokens_max / 4)
        return 0;
    chunker->head_start = row->start;
    chunker->head_end = row->end;
    return tokens;
}

static enum den_status add_unit(struct chunker *chunker, size_t index, struct den_error *err)
{
    const struct den_unit *unit = &chunker->units.items[index];

    if (chunker->first == chunker->next) {
        chunker->first = index;
        chunker->tokens = find_head(chunker, index);
        chunker->content_tokens = 0;
    }
    chunker->next = index + 1;
    chunker->tokens += unit->tokens + (unit->first && index > chunker->first);
    if (is_heading(chunker, index))
        return DEN_OK;
    chunker->content_tokens += unit->tokens;
    if (chunker->heading) {
        keep_common(chunker->heading, chunker->path_text);
        return DEN_OK;
    }
    chunker->tokens += chunker->path_tokens;
    chunker->heading = strdup(chunker->path_text);
    return chunker->heading ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
}

/* Its path (a chunk of headings alone needs none) and, where it goes on with a table, that table's
 * head. */
static char *make_heading(const struct chunker *chunker)
{
    struct den_buffer text;
    char *made;
    size_t i;

    den_buffer_init(&text, DEN_DOCUMENT_PART_TEXT_MAX + HEADING_BYTES_MAX);
    den_buffer_append_text(&text, chunker->heading ? chunker->heading : "");
    if (chunker->head_end > chunker->head_start && text.length > 0)
        den_buffer_append_text(&text, separator);
    for (i = chunker->head_start; i < chunker->head_end; i++) {
        if (chunker->part->text[i] == '\t')
            den_buffer_append_text(&text, " | ");
        else
            den_buffer_append_byte(&text, chunker->part->text[i]);
    }
    den_buffer_reserve(&text, 1);
    made = den_buffer_take(&text);
    den_buffer_deinit(&text);
    return made;
}

static enum den_status keep_chunk(struct chunker *chunker, size_t end_unit, struct den_error *err)
{
    const struct den_unit *units = chunker->units.items;
    struct den_chunk *chunk;
    size_t i;

    if (chunker->count == chunker->capacity) {
        size_t wanted = chunker->capacity ? chunker->capacity * 2 : 64;
        struct den_chunk *grown = realloc(chunker->chunks, wanted * sizeof *grown);

        if (!grown)
            return den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
        chunker->chunks = grown;
        chunker->capacity = wanted;
    }
    chunk = &chunker->chunks[chunker->count];
    *chunk = (struct den_chunk){ .start = units[chunker->first].start,
                                 .end = units[end_unit - 1].end,
                                 .tokens = chunker->tokens,
                                 .kind = block_of(chunker, chunker->first)->kind };
    for (i = chunker->first; i < end_unit; i++)
        if (!is_heading(chunker, i)) {
            chunk->kind = block_of(chunker, i)->kind;
            break;
        }
    for (i = end_unit; i < chunker->next; i++)
        chunk->tokens -= units[i].tokens + units[i].first;
    chunk->heading = make_heading(chunker);
    if (!chunk->heading)
        return den_fail(err, DEN_NO_MEMORY, "chunks: out of memory");
    chunker->count++;
    return DEN_OK;
}

/* Headings at its end go over to the next chunk, unless it has nothing else. */
static enum den_status close_chunk(struct chunker *chunker, bool last, struct den_error *err)
{
    size_t end = chunker->next, next = chunker->next;
    size_t i;

    if (chunker->first == chunker->next)
        return DEN_OK;
    if (chunker->heading && !last)
        while (end > chunker->first + 1 && is_heading(chunker, end - 1))
            end--;
    if (keep_chunk(chunker, end, err) != DEN_OK)
        return err->status;
    free(chunker->heading);
    chunker->heading = NULL;
    chunker->first = chunker->next = end;
    chunker->tokens = chunker->content_tokens = 0;
    for (i = end; i < next; i++)
        if (add_unit(chunker, i, err) != DEN_OK)
            return err->status;
    return DEN_OK;
}

/* --- where to close --- */

static size_t tokens_of_block(const struct chunker *chunker, size_t unit)
{
    size_t block = chunker->units.items[unit].block, tokens = 0;

    for (; unit < chunker->units.count && chunker->units.items[unit].block == block &&
           tokens <= chunker->tokens_max;
         unit++)
        tokens += chunker->units.items[unit].tokens;
    return tokens;
}

static bool should_close(const struct chunker *chunker, size_t index)
{
    const struct den_unit *unit = &chunker->units.items[index];
    size_t context = chunker->heading ? 0 : chunker->path_tokens;
    size_t room;

    if (chunker->first == chunker->next)
        return false;
    if (chunker->tokens + context + unit->tokens + unit->first > chunker->tokens_max)
        return true;
    if (!unit->first || chunker->content_tokens == 0)
        return false;
    if (is_heading(chunker, index) && chunker->content_tokens >= chunker->tokens_good / 4)
        return true;
    if (is_heading(chunker, chunker->next - 1))
        return false;
    if (chunker->tokens >= chunker->tokens_good)
        return true;
    room = chunker->tokens_max - chunker->tokens - context;
    return chunker->tokens >= chunker->tokens_good / 2 && tokens_of_block(chunker, index) > room;
}

static enum den_status put_together(struct chunker *chunker, struct den_error *err)
{
    size_t i;

    for (i = 0; i < chunker->units.count; i++) {
        if (should_close(chunker, i) && close_chunk(chunker, false, err) != DEN_OK)
            return err->status;
        if (should_close(chunker, i) && close_chunk(chunker, true, err) != DEN_OK)
            return err->status; /* headings alone took too much */
        if (chunker->units.items[i].first && is_heading(chunker, i) &&
            enter_heading(chunker, block_of(chunker, i), err) != DEN_OK)
            return err->status;
        if (add_unit(chunker, i, err) != DEN_OK)
            return err->status;
    }
    return close_chunk(chunker, true, err);
}

enum den_status den_chunks_make(const struct den_part *part, struct den_heading_path *path,
                                const struct den_chunk_options *options,
                                struct den_chunk **out_chunks, size_t *out_count,
                                struct den_error *err)
{
    struct chunker chunker = { .part = part, .path = path, .options = options };

    chunker.tokens_max = options->tokens_max ? options->tokens_max : TOKENS_MAX_DEFAULT;
    chunker.tokens_good = options->tokens_good ? options->tokens_good : TOKENS_GOOD_DEFAULT;
    if (chunker.tokens_good > chunker.tokens_max)
        chunker.tokens_good = chunker.tokens_max;
    if (enter_part(&chunker, err) != DEN_OK || show_path(&chunker, err) != DEN_OK ||
        den_units_make(part, options, chunker.tokens_max / 2, &chunker.units, err) != DEN_OK ||
        put_together(&chunker, err) != DEN_OK)
        den_chunks_free(chunker.chunks, chunker.count);
    else {
        *out_chunks = chunker.chunks;
        *out_count = chunker.count;
    }
    free(chunker.heading);
    free(chunker.path_text);
    den_units_free(&chunker.units);
    return err->status;
}

void den_chunks_free(struct den_chunk *chunks, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        free(chunks[i].heading);
    free(chunks);
}
