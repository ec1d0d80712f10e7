/* See model_fits.h. $DEN_HOME/shapes.json:
 *
 *     {"smollm2": {"bytes": 98362432, "shape": {...}}}
 *
 * A row counts only while the model's files have that many bytes: another model under the same name
 * is asked anew. The file is a cache; one that is lost is told again by the next worker. */
#include "desk/model_fits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

struct den_model_fits {
    char machine_path[DEN_PATH_BYTES_MAX], shapes_path[DEN_PATH_BYTES_MAX];
    struct den_fit_machine machine;
    json_t *shapes;
};

enum den_status den_model_fits_create(struct den_model_fits **out, struct den_error *err)
{
    struct den_model_fits *fits = calloc(1, sizeof *fits);
    struct den_error ignored = { 0 };
    char home[DEN_PATH_BYTES_MAX];

    if (!fits)
        return den_fail(err, DEN_NO_MEMORY, "models: out of memory");
    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK ||
        den_path_join(fits->machine_path, sizeof fits->machine_path, home, "machine.json", err) !=
            DEN_OK ||
        den_path_join(fits->shapes_path, sizeof fits->shapes_path, home, "shapes.json", err) !=
            DEN_OK ||
        den_fit_machine_read(fits->machine_path, &fits->machine, err) != DEN_OK)
        goto fail;
    if (den_json_read_file(fits->shapes_path, &fits->shapes, &ignored) != DEN_OK ||
        !json_is_object(fits->shapes)) {
        json_decref(fits->shapes);
        fits->shapes = json_object();
    }
    *out = fits;
    return DEN_OK;
fail:
    den_model_fits_destroy(fits);
    return err->status;
}

void den_model_fits_destroy(struct den_model_fits *fits)
{
    if (!fits)
        return;
    json_decref(fits->shapes);
    free(fits);
}

struct den_fit_machine *den_model_fits_machine(struct den_model_fits *fits)
{
    return &fits->machine;
}

static const json_t *remembered(const struct den_model_fits *fits, const char *name, uint64_t bytes)
{
    const json_t *row = json_object_get(fits->shapes, name);

    if (json_integer_value(json_object_get(row, "bytes")) != (json_int_t)bytes)
        return NULL;
    return json_object_get(row, "shape");
}

struct den_fit den_model_fits_of(const struct den_model_fits *fits, const char *name,
                                 uint64_t bytes, const json_t *shape,
                                 const struct den_fit_settings *settings)
{
    const json_t *known = remembered(fits, name, bytes);
    struct den_fit_settings given = *settings;
    struct den_error ignored = { 0 };
    struct den_fit_shape read;
    struct den_fit fit;
    size_t length;

    if ((known && den_fit_shape_read(known, &read, &ignored) == DEN_OK) ||
        (shape && den_fit_shape_read(shape, &read, &ignored) == DEN_OK)) {
        if (given.context_tokens > read.context_tokens)
            given.context_tokens = read.context_tokens;
        return den_fit(&read, &given, &fits->machine);
    }
    read = den_fit_shape_of_bytes(bytes);
    fit = den_fit(&read, &given, &fits->machine);
    fit.is_guess = true;
    length = strlen(fit.why);
    snprintf(fit.why + length, sizeof fit.why - length, " A guess from its size alone.");
    return fit;
}

static void write_shapes(const struct den_model_fits *fits)
{
    struct den_error ignored = { 0 };
    struct den_buffer text;

    den_buffer_init(&text, DEN_SHAPES_BYTES_MAX);
    if (den_json_write(fits->shapes, &text, &ignored) == DEN_OK)
        den_file_write(fits->shapes_path, text.data, text.length, &ignored);
    den_buffer_deinit(&text);
}

void den_model_fits_learn(struct den_model_fits *fits, const char *name, uint64_t bytes,
                          const json_t *shape, double tokens_per_s)
{
    const json_t *known = remembered(fits, name, bytes);
    struct den_error ignored = { 0 };
    struct den_fit_shape read;

    if (!shape || den_fit_shape_read(shape, &read, &ignored) != DEN_OK)
        return;
    if (tokens_per_s > 0 && read.read_bytes > 0 && !read.is_encoder)
        den_fit_machine_learn(fits->machine_path, read.read_bytes, tokens_per_s, &ignored);
    if (known && json_equal(known, shape))
        return;
    json_object_set_new(fits->shapes, name,
                        json_pack("{s:I, s:O}", "bytes", (json_int_t)bytes, "shape", shape));
    write_shapes(fits);
}
