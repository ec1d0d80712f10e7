/* See model_manager.h. The list joins three tables: the catalogue (with what the models folder
 * holds), the roster (what was asked for and runs), and the fits. It is made anew each time: a file
 * that appears in the folder is a model at once. */
#include "desk/model_manager.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "desk/download_package.h"
#include "desk/model_fits.h"
#include "desk/model_store.h"
#include "desk/roster_parts.h"

enum { LEARN_TOKENS = 64 /* fewer say little about speed */ };

/* --- what is known at one moment --- */

struct view {
    struct den_catalogue *catalogue;
    struct den_model_fits *fits;
    struct den_roster_entry *entries; /* installed ones, when there is a roster */
    size_t count;
    struct den_fit_settings settings;
    bool has_roster, has_packages; /* packages can be fetched here */
};

static void close_view(struct view *view)
{
    den_catalogue_destroy(view->catalogue);
    den_model_fits_destroy(view->fits);
    free(view->entries);
}

/* Remembers what workers have told since the last look. */
static void learn(struct view *view)
{
    struct den_fit_machine *machine = den_model_fits_machine(view->fits);
    size_t i;

    for (i = 0; i < view->count; i++) {
        const struct den_roster_entry *entry = &view->entries[i];
        const struct den_worker_status *status = &entry->status;
        const bool is_fast =
            status->generated_tokens >= LEARN_TOKENS && status->generate_seconds > 0;

        machine->free_bytes += status->resident_bytes;
        if (entry->info)
            den_model_fits_learn(
                view->fits, entry->name, entry->bytes, entry->info->shape,
                is_fast ? (double)status->generated_tokens / status->generate_seconds : 0);
    }
}

static enum den_status open_view(struct den_roster *roster, struct view *out, struct den_error *err)
{
    struct den_roster_limits limits = { 0 };
    size_t i;

    *out = (struct view){ .has_roster = roster != NULL };
    if (den_catalogue_create(&out->catalogue, err) != DEN_OK ||
        den_model_fits_create(&out->fits, err) != DEN_OK ||
        (roster && den_roster_list(roster, &out->entries, &out->count, err) != DEN_OK)) {
        close_view(out);
        return err->status;
    }
    if (roster)
        limits = den_roster_limits(roster);
    den_model_fits_machine(out->fits)->budget_bytes =
        limits.memory_bytes ? limits.memory_bytes
                            : den_model_fits_machine(out->fits)->total_bytes / 4 * 3;
    out->settings.context_tokens = limits.context_tokens;
    out->settings.threads = limits.threads;
    out->settings.int8_cache = limits.int8_cache;
    for (i = 0; i < den_catalogue_count(out->catalogue) && !out->has_packages; i++) {
        const struct den_catalogue_entry *listed = den_catalogue_at(out->catalogue, i);

        if (listed->is_packaged && !listed->installed) {
            out->has_packages = den_package_is_possible();
            break; /* a Python is looked for once, and only where the answer matters */
        }
    }
    learn(out);
    return DEN_OK;
}

/* --- the list --- */

static const char *state_text(enum den_worker_state state)
{
    static const char *const texts[] = { [DEN_WORKER_ASLEEP] = "asleep",
                                         [DEN_WORKER_LOADING] = "loading",
                                         [DEN_WORKER_READY] = "ready",
                                         [DEN_WORKER_FAILED] = "failed" };

    return texts[state];
}

/* One row: a model of the catalogue, of the folder, or of the roster alone; one may be NULL. */
static json_t *model_json(const struct view *view, const struct den_catalogue_entry *listed,
                          const struct den_roster_entry *entry)
{
    const char *name = listed ? listed->name : entry->name;
    const uint64_t bytes = entry && entry->bytes ? entry->bytes : listed ? listed->bytes : 0;
    const json_t *shape = entry && entry->info && entry->info->shape ? entry->info->shape
                          : listed                                   ? listed->shape
                                                                     : NULL;
    const struct den_fit fit = den_model_fits_of(view->fits, name, bytes, shape, &view->settings);
    const bool installed = entry || (listed && listed->installed);
    const uint64_t parameters = entry && entry->parameters ? entry->parameters
                                : listed                   ? listed->parameters
                                                           : 0;
    struct den_fit_shape read = { 0 };
    struct den_error ignored = { 0 };
    size_t context = entry && entry->info ? entry->info->context_tokens : 0;

    if (context == 0 && shape && den_fit_shape_read(shape, &read, &ignored) == DEN_OK)
        context = read.context_tokens;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:b, s:b, s:s, s:I, s:o, s:I, s:s, s:b}", "name", name,
        "title", listed ? listed->title : entry->title, "role",
        entry ? den_role_names[entry->role] : listed->role, "license",
        listed ? listed->license : entry->license, "parameters", (json_int_t)parameters, "bytes",
        (json_int_t)bytes, "modalities",
        listed && listed->modalities ? json_deep_copy(listed->modalities)
                                     : json_pack("[s]", "text"),
        "installed", (int)installed, "default", (int)(entry && entry->is_role_default), "state",
        entry       ? state_text(entry->status.state)
        : installed ? "asleep"
                    : "absent",
        "context_tokens", (json_int_t)context, "fit", den_fit_json(&fit), "memory_bytes",
        (json_int_t)(entry ? entry->status.resident_bytes : 0), "source",
        listed ? listed->source : "", "downloadable",
        (int)(listed && *listed->source && (!listed->is_packaged || view->has_packages)));
}

static const struct den_roster_entry *find_entry(const struct view *view, const char *name)
{
    size_t i;

    for (i = 0; i < view->count; i++)
        if (strcmp(view->entries[i].name, name) == 0)
            return &view->entries[i];
    return NULL;
}

/* Installed ones first, then the others, each in the catalogue's order. */
static json_t *models_json(const struct view *view)
{
    json_t *list = json_array();
    size_t i;
    int wanted;

    for (wanted = 1; wanted >= 0; wanted--) {
        for (i = 0; i < den_catalogue_count(view->catalogue); i++) {
            const struct den_catalogue_entry *listed = den_catalogue_at(view->catalogue, i);

            if ((int)listed->installed == wanted)
                json_array_append_new(list,
                                      model_json(view, listed, find_entry(view, listed->name)));
        }
        for (i = 0; wanted && i < view->count; i++)
            if (!den_catalogue_find(view->catalogue, view->entries[i].name))
                json_array_append_new(list, model_json(view, NULL, &view->entries[i]));
    }
    return list;
}

enum den_status den_models_list(struct den_roster *roster, json_t **out, struct den_error *err)
{
    const struct den_fit_machine *machine;
    struct view view;

    if (open_view(roster, &view, err) != DEN_OK)
        return err->status;
    machine = den_model_fits_machine(view.fits);
    *out =
        json_pack("{s:o, s:{s:I, s:I, s:I}}", "models", models_json(&view), "memory", "total_bytes",
                  (json_int_t)machine->total_bytes, "free_bytes", (json_int_t)machine->free_bytes,
                  "budget_bytes", (json_int_t)machine->budget_bytes);
    close_view(&view);
    return *out ? DEN_OK : den_fail(err, DEN_NO_MEMORY, "models: out of memory");
}

enum den_status den_models_get(struct den_roster *roster, const char *name, json_t **out,
                               struct den_error *err)
{
    const struct den_catalogue_entry *listed;
    const struct den_roster_entry *entry;
    struct view view;

    if (open_view(roster, &view, err) != DEN_OK)
        return err->status;
    listed = den_catalogue_find(view.catalogue, name);
    entry = find_entry(&view, name);
    if (listed || entry)
        *out = model_json(&view, listed, entry);
    else
        den_fail(err, DEN_NOT_FOUND, "there is no model '%.128s'", name);
    close_view(&view);
    return err->status;
}

enum den_status den_models_fit(struct den_roster *roster,
                               const struct den_models_question *question, struct den_fit *out,
                               struct den_error *err)
{
    const struct den_catalogue_entry *listed;
    const struct den_roster_entry *entry;
    struct view view;

    if (open_view(roster, &view, err) != DEN_OK)
        return err->status;
    if (question->context_tokens)
        view.settings.context_tokens = question->context_tokens;
    view.settings.conversations = question->conversations;
    listed = den_catalogue_find(view.catalogue, question->source);
    entry = find_entry(&view, listed ? listed->name : question->source);
    if (!listed && !entry && question->bytes == 0)
        den_fail(
            err, DEN_NOT_FOUND,
            "'source': '%.128s' is neither installed nor in the catalogue; give its 'bytes' to "
            "have it estimated",
            question->source);
    else
        *out = den_model_fits_of(view.fits, listed ? listed->name : question->source,
                                 entry    ? entry->bytes
                                 : listed ? listed->bytes
                                          : question->bytes,
                                 entry && entry->info && entry->info->shape ? entry->info->shape
                                 : listed                                   ? listed->shape
                                                                            : question->shape,
                                 &view.settings);
    close_view(&view);
    return err->status;
}

/* --- changes --- */

enum den_status den_models_load(struct den_roster *roster, const char *name, struct den_error *err)
{
    struct den_roster_entry entry;
    struct den_worker *worker = NULL;

    if (den_roster_find(roster, name, &entry, err) != DEN_OK ||
        den_roster_take(roster, entry.name, entry.role, &worker, err) != DEN_OK)
        return err->status;
    if (entry.status.state == DEN_WORKER_ASLEEP) { /* started before: a question wakes it */
        json_t *ids = json_array();

        den_worker_tokenize(worker, "", 0, 0, ids, err);
        json_decref(ids);
    }
    den_roster_give_back(roster, worker);
    return err->status;
}

enum den_status den_models_remove(struct den_roster *roster, const char *name,
                                  struct den_error *err)
{
    char plain[DEN_PATH_BYTES_MAX];

    den_roster_plain_name(plain, sizeof plain, name);
    if (den_roster_forget(roster, plain, err) != DEN_OK)
        return err->status;
    return den_model_remove(plain, err);
}

/* --- roles --- */

static enum den_status roles_path(char *out, struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX];

    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK)
        return err->status;
    return den_path_join(out, DEN_PATH_BYTES_MAX, home, "roles.json", err);
}

/* A model that has gone since is as good as none. */
void den_models_kept_role(enum den_worker_role role, char *out, size_t capacity)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_catalogue *catalogue = NULL;
    struct den_error ignored = { 0 };
    const char *name = NULL;
    json_t *kept = NULL;

    out[0] = '\0';
    if (roles_path(path, &ignored) == DEN_OK &&
        den_json_read_file(path, &kept, &ignored) == DEN_OK &&
        den_json_get_text(kept, den_role_names[role], &name, &ignored) == DEN_OK && name &&
        strlen(name) < capacity && den_catalogue_create(&catalogue, &ignored) == DEN_OK) {
        if (den_catalogue_resolve(catalogue, name, path, sizeof path, &ignored) == DEN_OK)
            memcpy(out, name, strlen(name) + 1);
        den_catalogue_destroy(catalogue);
    }
    json_decref(kept);
}

enum den_status den_models_roles(struct den_roster *roster, json_t **out, struct den_error *err)
{
    struct den_roster_entry *entries;
    size_t count, i;

    if (den_roster_list(roster, &entries, &count, err) != DEN_OK)
        return err->status;
    *out = json_object();
    for (i = 0; i < DEN_ROLES; i++)
        json_object_set_new(*out, den_role_names[i], json_null());
    for (i = 0; i < count; i++)
        if (entries[i].is_role_default)
            json_object_set_new(*out, den_role_names[entries[i].role],
                                json_string(entries[i].name));
    free(entries);
    return DEN_OK;
}

enum den_status den_models_set_roles(struct den_roster *roster, const json_t *change,
                                     struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_buffer text;
    json_t *roles = NULL;
    const char *name;
    size_t i;

    for (i = 0; i < DEN_ROLES; i++) {
        name = NULL;
        if (den_json_get_text(change, den_role_names[i], &name, err) != DEN_OK ||
            (name && den_roster_set_role(roster, (enum den_worker_role)i, name, err) != DEN_OK))
            return err->status;
    }
    if (roles_path(path, err) != DEN_OK || den_models_roles(roster, &roles, err) != DEN_OK)
        return err->status;
    for (i = 0; i < DEN_ROLES; i++)
        if (json_is_null(json_object_get(roles, den_role_names[i])))
            json_object_del(roles, den_role_names[i]);
    den_buffer_init(&text, 4096);
    if (den_json_write(roles, &text, err) == DEN_OK)
        den_file_write(path, text.data, text.length, err);
    den_buffer_deinit(&text);
    json_decref(roles);
    return err->status;
}
