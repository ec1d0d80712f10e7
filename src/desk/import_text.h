/* Import text: the conversations of an export file, one at a time.
 *
 * Exports of years reach hundreds of megabytes. The file is not parsed as a whole: a scan that
 * knows only strings and brackets finds where each conversation begins and ends, and each is
 * parsed alone, so that memory stays that of one conversation and a bad one spoils no other. What
 * JSON's grammar allows and UTF-8 does not (lone surrogates, U+0000), and bytes that are no UTF-8,
 * become U+FFFD first. */
#ifndef DEN_DESK_IMPORT_TEXT_H
#define DEN_DESK_IMPORT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct den_import_text {
    const char *data;
    size_t length;
    size_t at;                      /* the next conversation, or what is before it */
    bool is_list;                   /* conversations in brackets; else the file is one */
    size_t folders_at, folders_end; /* of Den's own; 0, 0: none */
};

/* Finds the list: the file itself, or its member "threads" or "conversations". DEN_BAD_FILE: it is
 * no JSON list or object, with a word on ZIP files. */
enum den_status den_import_text_open(struct den_import_text *text, const char *data, size_t length,
                                     struct den_error *err);
/* False: there is no more. Otherwise the next conversation is in *out_value (json_decref()), or
 * `err` says why it can't be read. After a part that is not even JSON in outline there is no more.
 */
bool den_import_text_next(struct den_import_text *text, json_t **out_value, struct den_error *err);
/* The value in [from, to), repaired and parsed. */
enum den_status den_import_text_parse(const struct den_import_text *text, size_t from, size_t to,
                                      json_t **out_value, struct den_error *err);

#endif
