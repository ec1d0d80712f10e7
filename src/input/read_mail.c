/* Mails (.eml) and mailboxes (.mbox): each mail a part that is named by its subject.
 *
 * Who, to whom and when stand in a note before the text, so that they are found. Of a mail that
 * says the same in several forms the plain text is read, else HTML. Attachments are named in a note
 * and read behind their mail, as parts that are named by both; pictures that the mail shows within
 * its text (logos, as a rule) are only named. Mails within a mail are read where they stand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/dates.h"
#include "input/html_blocks.h"
#include "input/lines.h"
#include "input/mime.h"

enum {
    HEADER_BYTES_MAX = 65536,
    BODY_BYTES_MAX = 64 << 20,
    MULTIPART_DEPTH_MAX = 20,
    ATTACHMENTS_MAX = 1000,
    ENCODING_BYTES = 32,
    PARTS_IN_MAIL_MAX = 10000
};

struct attachment {
    const char *body; /* as it stands in the mail */
    size_t length;
    char encoding[ENCODING_BYTES];
    char *name;
};

struct mail {
    const struct den_input *input;
    struct den_writer *writer;
    struct den_error *err;
    size_t entities;               /* of it so far */
    struct den_buffer attachments; /* their names */
    struct attachment *list;
    size_t list_count;
};

/* One header of `headers` to `out`, which is emptied first. */
static const char *header(const char *headers, size_t length, const char *name,
                          struct den_buffer *out)
{
    den_buffer_clear(out);
    den_mime_header(headers, length, name, out);
    return out->status == DEN_OK ? out->data : "";
}

static void write_headers(struct mail *mail, const char *headers, size_t length)
{
    static const char *const names[] = { "From", "To", "Cc", "Date", "Subject" };
    struct den_buffer value;
    bool begun = false;
    size_t i;

    den_buffer_init(&value, HEADER_BYTES_MAX);
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = header(headers, length, names[i], &value);

        if (!text[0])
            continue;
        if (!begun)
            den_writer_block_begin(mail->writer, DEN_BLOCK_NOTE, 0);
        else
            den_writer_break(mail->writer, '\n');
        begun = true;
        den_writer_string(mail->writer, names[i]);
        den_writer_string(mail->writer, ": ");
        den_writer_text(mail->writer, value.data, value.length);
    }
    if (begun)
        den_writer_block_end(mail->writer);
    den_buffer_deinit(&value);
}

/* --- bodies --- */

static void write_plain(struct mail *mail, const char *bytes, size_t length, const char *charset)
{
    struct den_error ignored = { 0 };
    struct den_decoded text;
    size_t at = 0, blank = 0;
    bool open = false;

    if (den_decode(bytes, length, charset[0] ? charset : NULL, &text, &ignored) != DEN_OK) {
        den_writer_note(mail->writer, "The text of a mail is too long to be read.");
        return;
    }
    while (at < text.length) {
        struct den_line line = den_line_at(text.text, text.length, at);

        at = line.next;
        if (den_line_is_blank(&line)) {
            blank++;
            continue;
        }
        if (!open || blank > 0)
            den_writer_block_begin_verbatim(mail->writer, DEN_BLOCK_PARAGRAPH, 0);
        else
            den_writer_break(mail->writer, '\n');
        open = true;
        blank = 0;
        den_writer_text(mail->writer, line.text, line.length);
    }
    den_writer_block_end(mail->writer);
    den_decoded_free(&text);
}

struct entity {
    struct den_buffer type, disposition, encoding, charset, boundary, name;
    const char *body;
    size_t length;
};

static void entity_init(struct entity *entity)
{
    *entity = (struct entity){ 0 };
    den_buffer_init(&entity->type, HEADER_BYTES_MAX);
    den_buffer_init(&entity->disposition, HEADER_BYTES_MAX);
    den_buffer_init(&entity->encoding, HEADER_BYTES_MAX);
    den_buffer_init(&entity->charset, HEADER_BYTES_MAX);
    den_buffer_init(&entity->boundary, HEADER_BYTES_MAX);
    den_buffer_init(&entity->name, HEADER_BYTES_MAX);
}

static void entity_deinit(struct entity *entity)
{
    den_buffer_deinit(&entity->type);
    den_buffer_deinit(&entity->disposition);
    den_buffer_deinit(&entity->encoding);
    den_buffer_deinit(&entity->charset);
    den_buffer_deinit(&entity->boundary);
    den_buffer_deinit(&entity->name);
}

static void cut_at(struct den_buffer *value, const char *ends)
{
    value->length = strcspn(value->data, ends);
    if (value->capacity > 0)
        value->data[value->length] = '\0';
}

/* Headers and body of the entity at `text`. */
static void parse_entity(const char *text, size_t length, struct entity *out)
{
    size_t body, headers = den_mime_headers(text, length, &body);

    den_mime_header(text, headers, "Content-Type", &out->type);
    den_mime_header(text, headers, "Content-Disposition", &out->disposition);
    den_mime_header(text, headers, "Content-Transfer-Encoding", &out->encoding);
    den_mime_parameter(out->type.data, "charset", &out->charset);
    den_mime_parameter(out->type.data, "boundary", &out->boundary);
    if (!den_mime_parameter(out->disposition.data, "filename", &out->name))
        den_mime_parameter(out->type.data, "name", &out->name);
    cut_at(&out->type, "; \t");
    cut_at(&out->disposition, "; \t");
    cut_at(&out->encoding, "; \t");
    out->body = text + body;
    out->length = length - body;
}

/* What a mail shows in its text, and what proves who wrote it, is no document. */
static bool is_worth_reading(const struct entity *entity)
{
    const char *type = entity->type.data;
    bool attached = strcasecmp(entity->disposition.data, "attachment") == 0;

    return (attached || strncasecmp(type, "image/", 6) != 0) &&
           strncasecmp(type, "application/pgp-", 16) != 0 && !strstr(type, "pkcs7-signature");
}

/* Out of memory: the note's name is all there is. */
static void keep_attachment(struct mail *mail, const struct entity *entity, const char *name)
{
    struct attachment *grown;

    if (mail->list_count >= ATTACHMENTS_MAX || !is_worth_reading(entity))
        return;
    grown = realloc(mail->list, (mail->list_count + 1) * sizeof *grown);
    if (!grown)
        return;
    mail->list = grown;
    grown += mail->list_count;
    *grown = (struct attachment){ .body = entity->body,
                                  .length = entity->length,
                                  .name = den_label_make(name, strlen(name),
                                                         DEN_DOCUMENT_LABEL_BYTES_MAX / 4) };
    snprintf(grown->encoding, sizeof grown->encoding, "%s", entity->encoding.data);
    mail->list_count += grown->name != NULL;
}

static void name_attachment(struct mail *mail, const struct entity *entity)
{
    struct den_buffer name;

    den_buffer_init(&name, HEADER_BYTES_MAX);
    if (entity->name.length > 0)
        den_mime_words(entity->name.data, entity->name.length, &name);
    else
        den_buffer_append_text(&name, entity->type.length ? entity->type.data : "without a name");
    if (name.status == DEN_OK) {
        if (mail->attachments.length > 0)
            den_buffer_append_text(&mail->attachments, ", ");
        den_buffer_append(&mail->attachments, name.data, name.length);
        keep_attachment(mail, entity, entity->name.length > 0 ? name.data : "attachment");
    }
    den_buffer_deinit(&name);
}

static void write_text(struct mail *mail, const struct entity *entity, bool is_html)
{
    struct den_buffer body;

    den_buffer_init(&body, BODY_BYTES_MAX);
    den_mime_decode(entity->encoding.data, entity->body, entity->length, &body);
    if (body.status != DEN_OK) {
        den_writer_note(mail->writer, "The text of a mail is too long to be read.");
    } else if (is_html) {
        struct den_html_options options = { .name = mail->input->name,
                                            .charset = entity->charset.length ? entity->charset.data
                                                                              : NULL };
        struct den_error failure = { 0 };

        if (den_html_write(mail->writer, body.data, body.length, &options, &failure) != DEN_OK &&
            !den_writer_failed(mail->writer))
            den_writer_note(mail->writer, "The HTML of a mail could not be read.");
    } else {
        write_plain(mail, body.data, body.length, entity->charset.data);
    }
    den_buffer_deinit(&body);
}

static void write_entity(struct mail *mail, const char *text, size_t length, unsigned depth);

/* The next entity between boundaries from *at on; false: there is none. */
static bool next_entity(const struct entity *whole, size_t *at, size_t *out_start,
                        size_t *out_length)
{
    bool inside = false;

    while (*at < whole->length) {
        struct den_line line = den_line_at(whole->body, whole->length, *at);
        size_t boundary = whole->boundary.length;

        if (line.length >= boundary + 2 && line.text[0] == '-' && line.text[1] == '-' &&
            memcmp(line.text + 2, whole->boundary.data, boundary) == 0) {
            bool last = line.length >= boundary + 4 && line.text[boundary + 2] == '-';

            if (inside) {
                *out_length = line.at - *out_start;
                return true; /* *at stays: the line opens the next one */
            }
            if (last)
                return false;
            inside = true;
            *out_start = line.next;
        }
        *at = line.next;
    }
    if (inside)
        *out_length = whole->length - *out_start;
    return inside && *out_start < whole->length;
}

/* Of entities that say the same: the plain text, else the last that can be read. */
static void write_alternative(struct mail *mail, const struct entity *whole, unsigned depth)
{
    size_t at = 0, start, length, best = 0, best_length = 0;
    bool plain = false;

    while (!plain && next_entity(whole, &at, &start, &length)) {
        struct entity entity;

        entity_init(&entity);
        parse_entity(whole->body + start, length, &entity);
        plain = entity.type.length == 0 || strcasecmp(entity.type.data, "text/plain") == 0;
        if (plain && entity.length < 16 && best_length > 0)
            plain = false; /* an empty one beside HTML */
        else if (plain || strcasecmp(entity.type.data, "text/html") == 0 ||
                 strncasecmp(entity.type.data, "multipart/", 10) == 0) {
            best = start;
            best_length = length;
        }
        entity_deinit(&entity);
        if (++mail->entities > PARTS_IN_MAIL_MAX)
            break;
    }
    if (best_length > 0)
        write_entity(mail, whole->body + best, best_length, depth + 1);
}

static void write_entity(struct mail *mail, const char *text, size_t length, unsigned depth)
{
    struct entity entity;
    size_t at = 0, start, inner;

    if (++mail->entities > PARTS_IN_MAIL_MAX || depth > MULTIPART_DEPTH_MAX) {
        den_writer_note(mail->writer, "Parts of a mail that lie too deep in it were left out.");
        return;
    }
    entity_init(&entity);
    parse_entity(text, length, &entity);
    if (strcasecmp(entity.disposition.data, "attachment") == 0) {
        name_attachment(mail, &entity);
    } else if (strncasecmp(entity.type.data, "multipart/", 10) == 0 && entity.boundary.length > 0) {
        if (strcasecmp(entity.type.data, "multipart/alternative") == 0)
            write_alternative(mail, &entity, depth);
        else
            while (next_entity(&entity, &at, &start, &inner) && !den_writer_failed(mail->writer))
                write_entity(mail, entity.body + start, inner, depth + 1);
    } else if (strcasecmp(entity.type.data, "message/rfc822") == 0) {
        size_t body, headers = den_mime_headers(entity.body, entity.length, &body);

        write_headers(mail, entity.body, headers);
        write_entity(mail, entity.body, entity.length, depth + 1);
    } else if (strcasecmp(entity.type.data, "text/html") == 0) {
        write_text(mail, &entity, true);
    } else if (entity.type.length == 0 || strncasecmp(entity.type.data, "text/", 5) == 0) {
        write_text(mail, &entity, false);
    } else {
        name_attachment(mail, &entity);
    }
    entity_deinit(&entity);
}

static void write_attachments(struct mail *mail)
{
    if (mail->attachments.length == 0)
        return;
    den_writer_block_begin(mail->writer, DEN_BLOCK_NOTE, 0);
    den_writer_string(mail->writer, "Attachments: ");
    den_writer_text(mail->writer, mail->attachments.data, mail->attachments.length);
    den_writer_block_end(mail->writer);
}

/* --- attachments --- */

/* One that can't be read is named in the note, unless nobody would expect it to be. */
static void read_bytes(struct mail *mail, const struct attachment *attachment,
                       const struct den_buffer *bytes)
{
    struct den_input inner = { .data = bytes->data,
                               .length = bytes->length,
                               .name = attachment->name,
                               .nesting = mail->input->nesting + 1,
                               .inflated = mail->input->inflated };
    struct den_error failure = { 0 };

    inner.format = den_format_sniff(inner.data, inner.length, inner.name);
    if (inner.nesting > DEN_DOCUMENT_NESTING_MAX || inner.format == DEN_FORMAT_UNKNOWN ||
        (inner.format == DEN_FORMAT_PICTURE && inner.length < DEN_DOCUMENT_MEMBER_PICTURE_MIN))
        return;
    if (den_read_any(&inner, mail->writer, &failure) == DEN_OK)
        den_writer_part_end_or_drop(mail->writer);
    else if (failure.status == DEN_NO_MEMORY ||
             (failure.status == DEN_TOO_LARGE &&
              *mail->input->inflated > DEN_DOCUMENT_RATIO_BYTES_MIN))
        den_writer_fail(mail->writer, &failure);
    else if (!den_writer_failed(mail->writer)) {
        den_writer_part_end_or_drop(mail->writer);
        den_writer_note(mail->writer, "Left out: %.300s.", failure.message);
    }
}

static void read_attachment(struct mail *mail, const struct attachment *attachment,
                            const char *subject)
{
    struct den_writer *writer = mail->writer;
    const char *outer = writer->prefix;
    const bool inside = writer->inside;
    struct den_buffer bytes, prefix;

    den_buffer_init(&bytes, BODY_BYTES_MAX);
    den_buffer_init(&prefix, 2 * DEN_DOCUMENT_LABEL_BYTES_MAX);
    if (outer)
        den_buffer_appendf(&prefix, "%.500s > ", outer);
    den_buffer_appendf(&prefix, "%.250s > %s", *subject ? subject : "mail", attachment->name);
    den_mime_decode(attachment->encoding, attachment->body, attachment->length, &bytes);
    if (bytes.status != DEN_OK || prefix.status != DEN_OK) {
        den_writer_note(writer, "Left out: %.200s, which is too large.", attachment->name);
    } else if (bytes.length > 0) {
        writer->prefix = prefix.data;
        writer->inside = true;
        writer->number = 0;
        read_bytes(mail, attachment, &bytes);
        writer->prefix = outer;
        writer->inside = inside;
    }
    den_buffer_deinit(&bytes);
    den_buffer_deinit(&prefix);
}

/* Each has numbers of its own; mails go on counting. */
static void read_attachments(struct mail *mail, const char *subject)
{
    const size_t number = mail->writer->number;
    size_t i;

    for (i = 0; i < mail->list_count; i++) {
        if (!den_writer_failed(mail->writer))
            read_attachment(mail, &mail->list[i], subject);
        free(mail->list[i].name);
    }
    free(mail->list);
    mail->writer->number = number;
}

/* One mail as a part; `only`: the file is this mail, so its subject is the document's title. */
static void write_mail(const struct den_input *input, struct den_writer *writer, const char *text,
                       size_t length, bool only)
{
    struct mail mail = { .input = input, .writer = writer };
    size_t body, headers = den_mime_headers(text, length, &body);
    struct den_buffer value;

    den_buffer_init(&value, HEADER_BYTES_MAX);
    den_buffer_init(&mail.attachments, HEADER_BYTES_MAX);
    den_writer_part_begin(writer, DEN_PART_MAIL, 0, header(text, headers, "Subject", &value));
    if (only) {
        den_writer_title(writer, value.data);
        den_writer_author(writer, header(text, headers, "From", &value));
        if (!writer->inside && writer->created == 0)
            writer->created = den_date_milliseconds(header(text, headers, "Date", &value));
    }
    write_headers(&mail, text, headers);
    write_entity(&mail, text, length, 0);
    write_attachments(&mail);
    den_writer_part_end(writer);
    read_attachments(&mail, header(text, headers, "Subject", &value));
    den_buffer_deinit(&mail.attachments);
    den_buffer_deinit(&value);
}

enum den_status den_read_mail(const struct den_input *input, struct den_writer *writer,
                              struct den_error *err)
{
    write_mail(input, writer, input->data, input->length, true);
    return den_writer_status(writer, err);
}

/* --- mailboxes --- */

/* "From " at the beginning of a line behind an empty one. */
static size_t next_mail(const char *text, size_t length, size_t at)
{
    bool blank = false;

    while (at < length) {
        struct den_line line = den_line_at(text, length, at);

        if (blank && line.length >= 5 && memcmp(line.text, "From ", 5) == 0)
            return at;
        blank = line.length == 0;
        at = line.next;
    }
    return length;
}

enum den_status den_read_mailbox(const struct den_input *input, struct den_writer *writer,
                                 struct den_error *err)
{
    size_t at = 0;

    while (at < input->length && !den_writer_failed(writer)) {
        struct den_line first = den_line_at(input->data, input->length, at);
        size_t start = at, end;

        if (first.length >= 5 && memcmp(first.text, "From ", 5) == 0)
            start = first.next;
        end = next_mail(input->data, input->length, first.next);
        if (end > start)
            write_mail(input, writer, input->data + start, end - start, false);
        at = end;
    }
    return den_writer_status(writer, err);
}
