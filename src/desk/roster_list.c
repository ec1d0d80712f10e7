/* See roster_parts.h: names and roles, and the list of what is installed: the catalogue's models
 * and what lies in the models folder, joined with what the workers that run have told. */
#include "desk/roster_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/file.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

const char *const den_role_names[DEN_ROLES] = { [DEN_WORKER_CHAT] = "chat",
                                                [DEN_WORKER_EMBEDDING] = "embedding",
                                                [DEN_WORKER_RERANKER] = "reranker" };

/* --- names --- */

const char *den_roster_role_text(enum den_worker_role role)
{
    return den_role_names[role];
}

void den_roster_plain_name(char *out, size_t capacity, const char *name)
{
    size_t length;

    snprintf(out, capacity, "%s", name ? name : "");
    length = strlen(out);
    if (length > 7 && strcmp(out + length - 7, ":latest") == 0)
        out[length - 7] = '\0';
}

const char *den_roster_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

/* Whether the folder's configuration has a word; false where there is none, or too much of it. */
static bool config_mentions(const char *folder, const char *word)
{
    char path[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };
    struct den_buffer text;
    bool found;

    if (den_path_join(path, sizeof path, folder, "config.json", &ignored) != DEN_OK ||
        !den_file_exists(path))
        return false;
    den_buffer_init(&text, CONFIG_BYTES_MAX);
    found = den_file_read(path, &text, &ignored) == DEN_OK && den_buffer_append_byte(&text, '\0') &&
            strstr(text.data, word);
    den_buffer_deinit(&text);
    return found;
}

static bool is_reranker(const char *role, const char *path)
{
    return strcmp(role, "reranker") == 0 || strstr(den_roster_base_name(path), "rerank") ||
           strstr(den_roster_base_name(path), "cross-encoder") ||
           config_mentions(path, "ForSequenceClassification");
}

enum den_worker_role den_roster_guess_role(const char *role, const char *path)
{
    char modules[DEN_PATH_BYTES_MAX];
    struct den_error err = { 0 };

    if (strcmp(role, "embedding") == 0)
        return DEN_WORKER_EMBEDDING;
    if (is_reranker(role, path))
        return DEN_WORKER_RERANKER;
    if (den_path_join(modules, sizeof modules, path, "modules.json", &err) == DEN_OK &&
        den_file_exists(modules))
        return DEN_WORKER_EMBEDDING;
    return DEN_WORKER_CHAT;
}

enum den_status den_roster_fail_unknown(const struct den_catalogue *catalogue, const char *name,
                                        struct den_error *err)
{
    const struct den_catalogue_entry *known = den_catalogue_find(catalogue, name);
    char names[512] = "";
    size_t used = 0, i;

    for (i = 0; i < den_catalogue_count(catalogue); i++) {
        const struct den_catalogue_entry *entry = den_catalogue_at(catalogue, i);

        if (entry->installed && used + strlen(entry->name) + 3 < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     entry->name);
    }
    if (known && !known->installed)
        return den_fail(err, DEN_NOT_FOUND,
                        "the model '%.128s' is not installed ('den pull %.128s' installs it); "
                        "installed: %s",
                        name, known->name, used ? names : "none");
    return den_fail(err, DEN_NOT_FOUND, "the model '%.128s' is not known here; installed: %s", name,
                    used ? names : "none");
}

/* --- listing; the lock is held --- */

static void fill_from_worker(struct den_roster *roster, struct den_roster_entry *entry)
{
    const struct den_roster_member *member = den_roster_member(roster, entry->name);

    if (!member)
        member = den_roster_member(roster, entry->path); /* asked for by another name */
    if (!member || !member->worker)
        return;
    entry->info = den_worker_info(member->worker);
    entry->role = entry->info->role;
    entry->parameters = entry->info->parameters;
    den_worker_status(member->worker, &entry->status);
}

static void fill_file(struct den_roster_entry *entry)
{
    struct stat info;

    if (stat(entry->path, &info) != 0)
        return;
    entry->modified_at = (int64_t)info.st_mtime;
    if (entry->bytes == 0 && S_ISREG(info.st_mode))
        entry->bytes = (uint64_t)info.st_size;
}

static bool has_entry(const struct den_roster_entry *entries, size_t count, const char *name)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0)
            return true;
    return false;
}

/* The catalogue's installed models, then those that were named by path. Returns their count. */
static size_t fill(struct den_roster *roster, const struct den_catalogue *catalogue,
                   struct den_roster_entry *entries)
{
    size_t count = 0, i;
    int role;

    for (i = 0; i < den_catalogue_count(catalogue); i++) {
        const struct den_catalogue_entry *from = den_catalogue_at(catalogue, i);
        struct den_roster_entry *entry = &entries[count];

        if (!from->installed || strcmp(from->role, "speech") == 0)
            continue;
        snprintf(entry->name, sizeof entry->name, "%s", from->name);
        snprintf(entry->title, sizeof entry->title, "%s", from->title);
        snprintf(entry->license, sizeof entry->license, "%s", from->license);
        snprintf(entry->path, sizeof entry->path, "%s", from->path);
        entry->role = den_roster_guess_role(from->role, from->path);
        entry->bytes = from->bytes;
        entry->parameters = from->parameters;
        count++;
    }
    for (i = 0; i < roster->member_count; i++) {
        const struct den_roster_member *member = roster->members[i];

        if (!*member->name || has_entry(entries, count, member->name))
            continue;
        snprintf(entries[count].name, sizeof entries[count].name, "%s", member->name);
        snprintf(entries[count].path, sizeof entries[count].path, "%s", member->path);
        entries[count].role = den_roster_guess_role("", member->path);
        count++;
    }
    for (i = 0; i < count; i++) {
        fill_file(&entries[i]);
        fill_from_worker(roster, &entries[i]);
    }
    for (role = 0; role < DEN_ROLES; role++)
        for (i = 0; i < count; i++)
            if ((int)entries[i].role == role &&
                (roster->defaults[role][0] == '\0' ||
                 strcmp(roster->defaults[role], entries[i].path) == 0 ||
                 strcmp(den_roster_base_name(roster->defaults[role]), entries[i].name) == 0)) {
                entries[i].is_role_default = true;
                break;
            }
    return count;
}

enum den_status den_roster_list(struct den_roster *roster, struct den_roster_entry **out_entries,
                                size_t *out_count, struct den_error *err)
{
    struct den_catalogue *catalogue;
    struct den_roster_entry *entries;

    if (den_catalogue_create(&catalogue, err) != DEN_OK)
        return err->status;
    pthread_mutex_lock(&roster->lock);
    entries = calloc(den_catalogue_count(catalogue) + roster->member_count + 1, sizeof *entries);
    if (entries) {
        *out_count = fill(roster, catalogue, entries);
        *out_entries = entries;
    } else {
        den_fail(err, DEN_NO_MEMORY, "roster: out of memory");
    }
    pthread_mutex_unlock(&roster->lock);
    den_catalogue_destroy(catalogue);
    return err->status;
}

/* "smollm2, all-minilm" */
static void join_names(const struct den_roster_entry *entries, size_t count, char *out,
                       size_t capacity)
{
    size_t used = 0, i;

    out[0] = '\0';
    for (i = 0; i < count && used + sizeof entries[i].name + 3 < capacity; i++)
        used += (size_t)snprintf(out + used, capacity - used, "%s%s", i > 0 ? ", " : "",
                                 entries[i].name);
}

enum den_status den_roster_find(struct den_roster *roster, const char *name,
                                struct den_roster_entry *out, struct den_error *err)
{
    struct den_roster_entry *entries;
    char wanted[DEN_PATH_BYTES_MAX], names[512];
    size_t count, i;
    bool found = false;

    if (den_roster_list(roster, &entries, &count, err) != DEN_OK)
        return err->status;
    den_roster_plain_name(wanted, sizeof wanted, name);
    for (i = 0; !found && i < count; i++) {
        found =
            strcmp(entries[i].name, wanted) == 0 ||
            (*wanted == '\0' && entries[i].is_role_default && entries[i].role == DEN_WORKER_CHAT);
        if (found)
            *out = entries[i];
    }
    if (!found) {
        join_names(entries, count, names, sizeof names);
        den_fail(err, DEN_NOT_FOUND, "the model '%.128s' is not installed; there are: %s", wanted,
                 names);
    }
    free(entries);
    return err->status;
}
