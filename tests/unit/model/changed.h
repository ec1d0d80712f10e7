/* A tiny model's folder with another config.json, in a temporary place. */
#ifndef DEN_TESTS_UNIT_MODEL_CHANGED_H
#define DEN_TESTS_UNIT_MODEL_CHANGED_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "model/description.h"

struct changed {
    char folder[64];
    char path[128]; /* of what to open */
};

static inline void changed_write(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* config.json of fixture `name`, updated with the JSON object `update`. */
static inline void changed_config(struct changed *changed, const char *name, const char *update)
{
    struct den_error err = { 0 };
    json_t *config = NULL;
    json_t *more = json_loads(update, 0, NULL);
    char path[512];
    char inside[128];
    char *text;

    assert_non_null(more);
    snprintf(changed->folder, sizeof changed->folder, "/tmp/den-test-XXXXXX");
    assert_non_null(mkdtemp(changed->folder));
    snprintf(changed->path, sizeof changed->path, "%s", changed->folder);
    snprintf(path, sizeof path, "%s/models/%s/config.json", DEN_FIXTURES, name);
    assert_int_equal(den_json_read_file(path, &config, &err), DEN_OK);
    json_object_update(config, more);
    text = json_dumps(config, 0);
    snprintf(inside, sizeof inside, "%s/config.json", changed->folder);
    changed_write(inside, text, strlen(text));
    snprintf(path, sizeof path, "%s/models/%s/model.safetensors", DEN_FIXTURES, name);
    snprintf(inside, sizeof inside, "%s/model.safetensors", changed->folder);
    assert_int_equal(symlink(path, inside), 0);
    free(text);
    json_decref(config);
    json_decref(more);
}

/* NAME.gguf with the u32 or f32 value of `key` overwritten. */
static inline void changed_gguf(struct changed *changed, const char *name, const char *key,
                                const void *value)
{
    struct den_error err = { 0 };
    struct den_buffer bytes;
    char path[512];
    char *found;

    snprintf(changed->folder, sizeof changed->folder, "/tmp/den-test-XXXXXX");
    assert_non_null(mkdtemp(changed->folder));
    snprintf(path, sizeof path, "%s/models/%s.gguf", DEN_FIXTURES, name);
    den_buffer_init(&bytes, 1 << 20);
    assert_int_equal(den_file_read(path, &bytes, &err), DEN_OK);
    found = memmem(bytes.data, bytes.length, key, strlen(key));
    assert_non_null(found);
    memcpy(found + strlen(key) + 4, value, 4); /* behind the key: u32 kind, then the value */
    snprintf(changed->path, sizeof changed->path, "%s/model.gguf", changed->folder);
    changed_write(changed->path, bytes.data, bytes.length);
    den_buffer_deinit(&bytes);
}

static inline void changed_remove(struct changed *changed)
{
    static const char *const names[] = { "config.json", "model.safetensors", "model.gguf" };
    size_t i;

    for (i = 0; i < 3; i++) {
        char path[128];

        snprintf(path, sizeof path, "%s/%s", changed->folder, names[i]);
        unlink(path);
    }
    rmdir(changed->folder);
}

static inline enum den_status changed_read(const struct changed *changed,
                                           struct den_description *out, struct den_error *err)
{
    struct den_weights *weights = NULL;

    if (den_weights_open(changed->path, &weights, err) == DEN_OK)
        den_description_read(weights, out, err);
    den_weights_close(weights);
    return err->status;
}

static inline void fixture_description(const char *name, bool gguf, struct den_description *out)
{
    struct den_error err = { 0 };
    char path[512];
    struct den_weights *weights = NULL;

    snprintf(path, sizeof path, "%s/models/%s%s", DEN_FIXTURES, name, gguf ? ".gguf" : "");
    if (den_weights_open(path, &weights, &err) != DEN_OK ||
        den_description_read(weights, out, &err) != DEN_OK)
        fail_msg("%s: %s", path, err.message);
    den_weights_close(weights);
}

#endif
