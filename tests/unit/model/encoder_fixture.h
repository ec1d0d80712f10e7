/* The tiny encoders of tests/fixtures/encoders: what transformers expects of them, and copies of
 * their folders with something changed. */
#ifndef DEN_TESTS_UNIT_MODEL_ENCODER_FIXTURE_H
#define DEN_TESTS_UNIT_MODEL_ENCODER_FIXTURE_H

#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

static inline const char *encoder_path(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/encoders/%s", DEN_FIXTURES, name);
    return path;
}

static inline json_t *encoder_json(const char *name)
{
    struct den_error err = { 0 };
    json_t *value = NULL;

    assert_int_equal(den_json_read_file(encoder_path(name), &value, &err), DEN_OK);
    return value;
}

/* Token ids of text `index`; returns how many. */
static inline size_t encoder_tokens(const json_t *expected, size_t index, int32_t *out)
{
    const json_t *tokens = json_array_get(json_object_get(expected, "tokens"), index);
    size_t i;

    for (i = 0; i < json_array_size(tokens); i++)
        out[i] = (int32_t)json_integer_value(json_array_get(tokens, i));
    return i;
}

static inline double largest_difference(const json_t *expected, const float *found)
{
    double most = 0;
    size_t i;

    for (i = 0; i < json_array_size(expected); i++)
        most = fmax(most, fabs(json_number_value(json_array_get(expected, i)) - (double)found[i]));
    return most;
}

/* A copy of the folder "bert" in a fresh directory, whose path it returns. */
static inline const char *copy_encoder(void)
{
    static const char *const names[] = { "config.json",           "modules.json",
                                         "1_Pooling/config.json", "sentence_bert_config.json",
                                         "tokenizer.json",        "tokenizer_config.json",
                                         "model.safetensors" };
    static char folder[64];
    char from[600], to[200];
    size_t i;

    snprintf(folder, sizeof folder, "/tmp/den_encoder_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(to, sizeof to, "%s/1_Pooling", folder);
    assert_int_equal(mkdir(to, 0700), 0);
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct den_error err = { 0 };
        struct den_buffer bytes;

        snprintf(from, sizeof from, "%s/%s", encoder_path("bert"), names[i]);
        snprintf(to, sizeof to, "%s/%s", folder, names[i]);
        den_buffer_init(&bytes, 1 << 20);
        assert_int_equal(den_file_read(from, &bytes, &err), DEN_OK);
        assert_int_equal(den_file_write(to, bytes.data, bytes.length, &err), DEN_OK);
        den_buffer_deinit(&bytes);
    }
    return folder;
}

static inline void write_encoder_file(const char *folder, const char *name, const char *text)
{
    struct den_error err = { 0 };
    char path[200];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(den_file_write(path, text, strlen(text), &err), DEN_OK);
}

/* Sets `key` of the folder's config.json; a NULL value takes it out. */
static inline void change_config(const char *folder, const char *key, json_t *value)
{
    struct den_error err = { 0 };
    char path[200], *text;
    json_t *config = NULL;

    snprintf(path, sizeof path, "%s/config.json", folder);
    assert_int_equal(den_json_read_file(path, &config, &err), DEN_OK);
    if (value)
        json_object_set_new(config, key, value);
    else
        json_object_del(config, key);
    text = json_dumps(config, 0);
    write_encoder_file(folder, "config.json", text);
    free(text);
    json_decref(config);
}

static inline void remove_encoder(const char *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

#endif
