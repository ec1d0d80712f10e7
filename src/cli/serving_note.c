/* See serving_note.h. The file is den.serving.json: {"process", "address"}. */
#include "cli/serving_note.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

static bool find_file(const char *home, char out[DEN_PATH_BYTES_MAX])
{
    struct den_error ignored = { 0 };

    return den_path_join(out, DEN_PATH_BYTES_MAX, home, "den.serving.json", &ignored) == DEN_OK;
}

bool den_cli_serving_read(const char *home, struct den_cli_serving *out)
{
    char path[DEN_PATH_BYTES_MAX];
    const char *address;
    json_t *note = find_file(home, path) ? json_load_file(path, 0, NULL) : NULL;
    bool is_there = false;

    address = json_string_value(json_object_get(note, "address"));
    out->process = (long)json_integer_value(json_object_get(note, "process"));
    if (address && strlen(address) < sizeof out->address && out->process > 0) {
        snprintf(out->address, sizeof out->address, "%s", address);
        is_there = kill((pid_t)out->process, 0) == 0 || errno == EPERM;
    }
    json_decref(note);
    return is_there;
}

void den_cli_serving_note(const char *home, const struct den_cli_serving *serving)
{
    struct den_error ignored = { 0 };
    char path[DEN_PATH_BYTES_MAX], *text;
    json_t *note;

    if (!find_file(home, path))
        return;
    note = json_pack("{s:I, s:s}", "process", (json_int_t)serving->process, "address",
                     serving->address);
    text = note ? json_dumps(note, 0) : NULL;
    if (text)
        den_file_write(path, text, strlen(text), &ignored);
    free(text);
    json_decref(note);
}

void den_cli_serving_forget(const char *home)
{
    struct den_cli_serving noted;
    char path[DEN_PATH_BYTES_MAX];

    if (den_cli_serving_read(home, &noted) && noted.process == (long)getpid() &&
        find_file(home, path))
        unlink(path);
}
