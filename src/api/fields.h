/* Fields: what the bodies of all surfaces share in being read.
 *
 * A surface writes down its fields as a table: the name its clients use, the range, and the place
 * in the struct where the value goes. Absent and null fields leave what is there. Everything that
 * is refused is named as the client wrote it. */
#ifndef DEN_API_FIELDS_H
#define DEN_API_FIELDS_H

#include <stddef.h>

#include "api/call.h"

enum den_field_kind {
    DEN_FIELD_NUMBER,  /* double */
    DEN_FIELD_INTEGER, /* int64_t */
    DEN_FIELD_BOOL,    /* bool */
    DEN_FIELD_TEXT,    /* const char *, which lives as long as the body */
    DEN_FIELD_OBJECT,  /* const json_t *; as must be a JSON object */
    DEN_FIELD_ARRAY    /* const json_t *; as must be an array */
};

struct den_field {
    const char *key;
    enum den_field_kind kind;
    size_t offset;           /* offsetof() in the struct that is filled */
    double minimum, maximum; /* of a NUMBER, or of an INTEGER within 2^53; both 0: any */
};

enum den_status den_fields_read(const json_t *object, const struct den_field *fields, size_t count,
                                void *out, struct den_error *err);

/* A text or a list of texts that end an answer, into options->stops. */
enum den_status den_stops_read(const json_t *object, const char *key,
                               struct den_call_options *options, struct den_error *err);

/* "seed": any integer is one; negative ones are taken without their sign bit. */
enum den_status den_seed_read(const json_t *object, const char *key,
                              struct den_worker_request *request, struct den_error *err);

/* NULL in *out when absent or null. */
enum den_status den_json_get_object(const json_t *object, const char *key, const json_t **out,
                                    struct den_error *err);

/* The sampling fields that go by one name everywhere: top_k, min_p, typical_p, repeat_penalty,
 * repeat_last_n, mirostat aside. */
enum den_status den_extras_read(const json_t *object, struct den_worker_request *request,
                                struct den_error *err);

/* Sets a variable for the chat template; makes body["chat_template_kwargs"] where there is none. */
enum den_status den_template_variable_set(struct den_call_options *options, const char *name,
                                          json_t *value, struct den_error *err);

/* reasoning_effort and its relatives: "none" and "minimal" switch thinking off, the others on, and
 * templates that know levels are told the word. */
enum den_status den_effort_read(const json_t *object, const char *key,
                                struct den_call_options *options, struct den_error *err);

/* Keeps what was made from the body as long as the body, under a name that no client has. Takes
 * over `value`, which may be NULL (DEN_NO_MEMORY). */
enum den_status den_body_keep(struct den_call_options *options, const char *key, json_t *value,
                              struct den_error *err);

/* The answer is held to be a JSON object, of any members. */
enum den_status den_any_object_set(struct den_call_options *options, struct den_error *err);

/* At most DEN_EMBEDDING_INPUTS_MAX. */
enum den_status den_texts_check_count(const json_t *texts, const char *key, struct den_error *err);

/* {"type": "text" | "json_object" | "json_schema", ...} as OpenAI's chat has it (the schema under
 * json_schema.schema) or its responses (beside `type`). Lives as long as the body. */
enum den_status den_format_read(struct den_call_options *options, const json_t *format,
                                const char *name, struct den_error *err);

#endif
