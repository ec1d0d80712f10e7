/* See reading_lines.h. */
#include "desk/reading_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk/reading_parts.h"

void den_reading_lines_init(struct den_reading_lines *lines, const char *name,
                            const struct den_document_sink *sink)
{
    *lines = (struct den_reading_lines){ .name = name, .sink = sink };
    /* a line, and what came behind its end in one read */
    den_buffer_init(&lines->pending, DEN_READING_LINE_BYTES_MAX + (1u << 20));
}

void den_reading_lines_deinit(struct den_reading_lines *lines)
{
    den_buffer_deinit(&lines->pending);
}

static enum den_status take_part(struct den_reading_lines *lines, const json_t *object,
                                 struct den_error *err)
{
    struct den_part part;

    if (++lines->part_count > DEN_DOCUMENT_PARTS_MAX)
        return den_fail(err, DEN_TOO_LARGE, "%s: it has more than %d parts", lines->name,
                        DEN_DOCUMENT_PARTS_MAX);
    if (den_part_from_json(object, &part, err) != DEN_OK)
        return den_fail_at(err, "%s: its reader went mad", lines->name);
    lines->sink->part(lines->sink->context, &part, err);
    den_part_free(&part);
    return err->status;
}

static enum den_status get_short_text(const json_t *object, const char *key, size_t length_max,
                                      const char **out, struct den_error *err)
{
    *out = "";
    if (den_json_get_text(object, key, out, err) == DEN_OK && strlen(*out) > length_max)
        den_fail(err, DEN_BAD_FILE, "\"%s\" is longer than %zu bytes", key, length_max);
    return err->status;
}

static enum den_status take_facts(struct den_reading_lines *lines, const json_t *object,
                                  struct den_error *err)
{
    struct den_document_facts facts = { 0 };
    int64_t parts = 0;

    if (get_short_text(object, "title", DEN_DOCUMENT_LABEL_BYTES_MAX, &facts.title, err) !=
            DEN_OK ||
        get_short_text(object, "author", DEN_DOCUMENT_LABEL_BYTES_MAX, &facts.author, err) !=
            DEN_OK ||
        get_short_text(object, "note", DEN_DOCUMENT_NOTE_BYTES_MAX, &facts.note, err) != DEN_OK ||
        den_json_get_integer(object, "part_count", 0, DEN_DOCUMENT_PARTS_MAX, &parts, err) !=
            DEN_OK ||
        den_json_get_integer(object, "created", INT64_MIN, INT64_MAX, &facts.created, err) !=
            DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s: its reader went mad", lines->name);
    }
    facts.part_count = (size_t)parts;
    return lines->sink->facts ? lines->sink->facts(lines->sink->context, &facts, err) : DEN_OK;
}

/* Only what a reader may say: it can't make us believe that we were cancelled. */
static enum den_status take_end(struct den_reading_lines *lines, const json_t *object,
                                struct den_error *err)
{
    int64_t status = -1;
    const char *message = "";

    den_json_get_integer(object, "status", 0, DEN_STATUS_COUNT - 1, &status, err);
    den_json_get_text(object, "message", &message, err);
    if (err->status != DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s: its reader went mad", lines->name);
    }
    lines->has_ended = true;
    if (status == DEN_OK)
        return DEN_OK;
    if (status != DEN_UNSUPPORTED && status != DEN_TOO_LARGE && status != DEN_NO_MEMORY)
        status = DEN_BAD_FILE;
    den_fail(&lines->ending, (enum den_status)status, "%s", message);
    return DEN_OK;
}

static enum den_status take_member(struct den_reading_lines *lines, const json_t *object,
                                   struct den_error *err)
{
    const char *path = "";
    int64_t bytes = -1;

    if (den_json_get_text(object, "path", &path, err) != DEN_OK ||
        den_json_get_integer(object, "bytes", 1, DEN_READING_MEMBER_BYTES_MAX, &bytes, err) !=
            DEN_OK ||
        !lines->members || bytes < 1) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s: its reader went mad", lines->name);
    }
    return den_reading_members_take(lines->members, path, (size_t)bytes, err);
}

static enum den_status take_line(struct den_reading_lines *lines, const char *text, size_t length,
                                 struct den_error *err)
{
    json_t *object = NULL, *inner;

    if (lines->has_ended)
        return den_fail(err, DEN_BAD_FILE, "%s: its reader went on after its end", lines->name);
    if (den_json_parse(text, length, "a line of the reader", &object, err) != DEN_OK) {
        err->status = DEN_BAD_FILE;
        return den_fail_at(err, "%s", lines->name);
    }
    if (json_object_get(object, "part"))
        take_part(lines, object, err);
    else if ((inner = json_object_get(object, "facts")) != NULL)
        take_facts(lines, inner, err);
    else if ((inner = json_object_get(object, "member")) != NULL)
        take_member(lines, inner, err);
    else if ((inner = json_object_get(object, "end")) != NULL)
        take_end(lines, inner, err);
    else
        den_fail(err, DEN_BAD_FILE, "%s: its reader said what is neither part nor facts",
                 lines->name);
    json_decref(object);
    return err->status;
}

enum den_status den_reading_lines_take(struct den_reading_lines *lines, const char *bytes,
                                       size_t length, struct den_error *err)
{
    size_t searched = lines->pending.length, at = 0;
    const char *newline;

    if (!den_buffer_append(&lines->pending, bytes, length))
        return den_fail(err, DEN_TOO_LARGE, "%s: a part takes more than %u MiB as JSON",
                        lines->name, DEN_READING_LINE_BYTES_MAX >> 20);
    while (err->status == DEN_OK && (newline = memchr(lines->pending.data + searched, '\n',
                                                      lines->pending.length - searched)) != NULL) {
        const size_t end = (size_t)(newline - lines->pending.data);

        take_line(lines, lines->pending.data + at, end - at, err);
        at = searched = end + 1;
    }
    den_buffer_consume(&lines->pending, at);
    return err->status;
}
