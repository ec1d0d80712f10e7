/* A tiny model that was "trained" with a longer context than the fixtures', so that its texts fill
 * several pages: the same files but for one number in config.json. Windows, norms and weights stay
 * what they are. */
#ifndef DEN_TESTS_UNIT_ENGINE_LONG_TINY_H
#define DEN_TESTS_UNIT_ENGINE_LONG_TINY_H

#include <dirent.h>
#include <unistd.h>

#include "engine/tiny.h"

enum { LONG_CONTEXT = 640 };

static inline void long_write_config(const char *from, const char *to)
{
    struct den_error err = { 0 };
    json_t *config = NULL;

    assert_int_equal(den_json_read_file(from, &config, &err), DEN_OK);
    json_object_set_new(config, "max_position_embeddings", json_integer(LONG_CONTEXT));
    assert_int_equal(json_dump_file(config, to, 0), 0);
    json_decref(config);
}

/* Links every file of the model into a new folder, whose path goes to `out`. */
static inline void long_make(const char *name, char out[256])
{
    char folder[256], from[600], to[600];
    const struct dirent *entry;
    DIR *files;

    snprintf(folder, sizeof folder, "%s/models/%s", DEN_FIXTURES, name);
    snprintf(out, 256, "/tmp/den_long_XXXXXX");
    assert_non_null(mkdtemp(out));
    files = opendir(folder);
    assert_non_null(files);
    while ((entry = readdir(files)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from, sizeof from, "%s/%s", folder, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", out, entry->d_name);
        if (strcmp(entry->d_name, "config.json") == 0)
            long_write_config(from, to);
        else
            assert_int_equal(symlink(from, to), 0);
    }
    closedir(files);
}

static inline void long_remove(const char *folder)
{
    char path[600];
    const struct dirent *entry;
    DIR *files = opendir(folder);

    assert_non_null(files);
    while ((entry = readdir(files)) != NULL)
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            unlink(path);
        }
    closedir(files);
    rmdir(folder);
}

static inline struct den_engine *long_open(const char *name, struct den_engine_options options)
{
    struct den_engine *engine = NULL;
    struct den_error err = { 0 };
    char folder[256];

    long_make(name, folder);
    options.path = folder;
    options.threads = 2;
    if (den_engine_open(&options, &engine, &err) != DEN_OK)
        fail_msg("%s: %s", name, err.message);
    long_remove(folder); /* an engine keeps no file open that it needs again */
    return engine;
}

#endif
