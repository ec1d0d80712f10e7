/* See roster.h. A member is a model that was asked for or named at the start; it is never
 * forgotten, so that pointers into it stay good. One lock guards the table; a worker is started
 * outside of it, with `is_starting` telling others to wait rather than to start a second one. */
#include "desk/roster_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static const double FOUND_SECONDS = 1;

/* --- members; the lock is held --- */

struct den_roster_member *den_roster_member(struct den_roster *roster, const char *name)
{
    size_t i;

    if (!*name)
        return NULL;
    for (i = 0; i < roster->member_count; i++)
        if (strcmp(roster->members[i]->name, name) == 0 ||
            strcmp(roster->members[i]->path, name) == 0)
            return roster->members[i];
    return NULL;
}

static enum den_status add_member(struct den_roster *roster, const char *name, const char *path,
                                  struct den_roster_member **out, struct den_error *err)
{
    struct den_roster_member *member;

    if (roster->member_count == DEN_MODELS_MAX)
        return den_fail(err, DEN_BUSY, "%d models were asked for already; restart Den to go on",
                        DEN_MODELS_MAX);
    member = calloc(1, sizeof *member);
    if (!member)
        return den_fail(err, DEN_NO_MEMORY, "roster: out of memory");
    snprintf(member->name, sizeof member->name, "%.*s", (int)sizeof member->name - 1,
             den_roster_base_name(name));
    snprintf(member->path, sizeof member->path, "%s", path);
    roster->members[roster->member_count++] = member;
    *out = member;
    return DEN_OK;
}

/* The first installed model of the role. */
static enum den_status choose_default(const struct den_catalogue *catalogue,
                                      enum den_worker_role role, char *out, size_t capacity,
                                      struct den_error *err)
{
    size_t i;

    for (i = 0; i < den_catalogue_count(catalogue); i++) {
        const struct den_catalogue_entry *entry = den_catalogue_at(catalogue, i);

        if (!entry->installed || strcmp(entry->role, "speech") == 0 ||
            den_roster_guess_role(entry->role, entry->path) != role)
            continue;
        snprintf(out, capacity, "%s", entry->name);
        return DEN_OK;
    }
    return den_fail(err, DEN_NOT_FOUND, "no %s model is installed; 'den models' lists what can be",
                    den_role_names[role]);
}

/* Where a name leads. Clients name models of the catalogue and of the models folder; a path from a
 * client is not followed, and a file of the folder that Den was started in is no model of ours. */
static enum den_status find_path(const struct den_catalogue *catalogue, const char *name,
                                 bool by_client, char out[DEN_PATH_BYTES_MAX],
                                 struct den_error *err)
{
    struct den_error trouble = { 0 };

    if (!by_client)
        return den_catalogue_resolve(catalogue, name, out, DEN_PATH_BYTES_MAX, err);
    if (strchr(name, '/') || name[0] == '.' ||
        den_catalogue_resolve(catalogue, name, out, DEN_PATH_BYTES_MAX, &trouble) != DEN_OK ||
        strcmp(name, out) == 0)
        return den_roster_fail_unknown(catalogue, name, err);
    return DEN_OK;
}

/* The role's first installed model, if it was looked for just now. */
static struct den_roster_member *found_lately(const struct den_roster *roster,
                                              enum den_worker_role role)
{
    const struct den_roster_found *found = &roster->found[role];

    return found->member && *found->member->name && den_clock_seconds() - found->at < FOUND_SECONDS
               ? found->member
               : NULL;
}

/* One model has one member, and so one worker, whatever it is called. */
static enum den_status look_up(struct den_roster *roster, const char *name,
                               enum den_worker_role role, struct den_roster_member **out,
                               struct den_error *err)
{
    struct den_catalogue *catalogue;
    char wanted[DEN_PATH_BYTES_MAX], path[DEN_PATH_BYTES_MAX];
    bool by_client, is_default = false;

    den_roster_plain_name(wanted, sizeof wanted, name && *name ? name : roster->defaults[role]);
    *out = *wanted ? den_roster_member(roster, wanted) : found_lately(roster, role);
    if (*out)
        return DEN_OK;
    if (den_catalogue_create(&catalogue, err) != DEN_OK)
        return err->status;
    is_default = !*wanted;
    if (is_default && choose_default(catalogue, role, wanted, sizeof wanted, err) != DEN_OK)
        goto done;
    *out = den_roster_member(roster, wanted);
    if (*out)
        goto done;
    by_client = name && *name && strcmp(name, roster->defaults[role]) != 0;
    if (find_path(catalogue, wanted, by_client, path, err) != DEN_OK)
        goto done;
    *out = den_roster_member(roster, path);
    if (!*out)
        add_member(roster, wanted, path, out, err);
done:
    if (is_default && *out)
        roster->found[role] =
            (struct den_roster_found){ .member = *out, .at = den_clock_seconds() };
    den_catalogue_destroy(catalogue);
    return err->status;
}

/* --- memory --- */

static uint64_t file_bytes(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
}

/* Puts workers to sleep, the one used longest ago first, until `bytes` more fit into the budget. */
static void make_room(struct den_roster *roster, uint64_t bytes)
{
    for (;;) {
        struct den_roster_member *oldest = NULL;
        struct den_error ignored = { 0 };
        uint64_t resident = bytes;
        size_t i;

        for (i = 0; i < roster->member_count; i++) {
            struct den_roster_member *member = roster->members[i];
            struct den_worker_status status = { 0 };

            if (!member->worker)
                continue;
            den_worker_status(member->worker, &status);
            resident += status.resident_bytes;
            if (status.state == DEN_WORKER_READY && member->taken == 0 &&
                (!oldest || member->used_at < oldest->used_at))
                oldest = member;
        }
        if (resident <= roster->memory_bytes || !oldest ||
            den_worker_sleep(oldest->worker, &ignored) != DEN_OK)
            return;
    }
}

/* A worker that sleeps takes its memory again with the next request. */
static void make_room_to_wake(struct den_roster *roster, const struct den_roster_member *member)
{
    struct den_worker_status status = { 0 };

    den_worker_status(member->worker, &status);
    if (status.state == DEN_WORKER_ASLEEP)
        make_room(roster, file_bytes(member->path));
}

/* --- the contract --- */

enum den_status den_roster_create(const struct den_roster_options *options, struct den_roster **out,
                                  struct den_error *err)
{
    struct den_roster *roster = calloc(1, sizeof *roster);
    const char *given[DEN_ROLES] = { options->chat_model, options->embedding_model,
                                     options->reranker_model };
    int i;

    if (!roster)
        return den_fail(err, DEN_NO_MEMORY, "roster: out of memory");
    pthread_mutex_init(&roster->lock, NULL);
    pthread_cond_init(&roster->started, NULL);
    roster->worker = options->worker;
    roster->memory_bytes = options->memory_bytes;
    if (roster->memory_bytes == 0)
        roster->memory_bytes =
            (size_t)sysconf(_SC_PHYS_PAGES) / 4 * 3 * (size_t)sysconf(_SC_PAGESIZE);
    if (options->worker.cpu_features) {
        roster->cpu_features = strdup(options->worker.cpu_features);
        roster->worker.cpu_features = roster->cpu_features;
        if (!roster->cpu_features) {
            den_roster_destroy(roster);
            return den_fail(err, DEN_NO_MEMORY, "roster: out of memory");
        }
    }
    for (i = 0; i < DEN_ROLES; i++)
        if (given[i])
            den_roster_plain_name(roster->defaults[i], sizeof roster->defaults[i], given[i]);
    *out = roster;
    return DEN_OK;
}

void den_roster_destroy(struct den_roster *roster)
{
    size_t i;

    if (!roster)
        return;
    for (i = 0; i < roster->member_count; i++) {
        den_worker_stop(roster->members[i]->worker);
        free(roster->members[i]);
    }
    pthread_cond_destroy(&roster->started);
    pthread_mutex_destroy(&roster->lock);
    free(roster->cpu_features);
    free(roster);
}

/* Called with the lock held, which is released while the worker starts. */
static enum den_status start_worker(struct den_roster *roster, struct den_roster_member *member,
                                    struct den_error *err)
{
    struct den_worker_options options = roster->worker;
    struct den_worker *worker = NULL;

    make_room(roster, file_bytes(member->path));
    options.model_path = member->path;
    options.model_name = member->name;
    member->is_starting = true;
    pthread_mutex_unlock(&roster->lock);
    den_worker_start(&options, &worker, err);
    pthread_mutex_lock(&roster->lock);
    member->worker = worker;
    member->is_starting = false;
    pthread_cond_broadcast(&roster->started);
    return err->status;
}

enum den_status den_roster_take(struct den_roster *roster, const char *name,
                                enum den_worker_role role, struct den_worker **out,
                                struct den_error *err)
{
    struct den_roster_member *member;

    pthread_mutex_lock(&roster->lock);
    if (look_up(roster, name, role, &member, err) != DEN_OK)
        goto done;
    while (member->is_starting)
        pthread_cond_wait(&roster->started, &roster->lock);
    if (!member->worker && start_worker(roster, member, err) != DEN_OK)
        goto done;
    make_room_to_wake(roster, member);
    if (den_worker_info(member->worker)->role != role) {
        den_fail(err, DEN_UNSUPPORTED, "'model': '%s' has the role %s, not %s", member->name,
                 den_role_names[den_worker_info(member->worker)->role], den_role_names[role]);
        goto done;
    }
    member->taken++;
    member->used_at = den_clock_seconds();
    *out = member->worker;
done:
    pthread_mutex_unlock(&roster->lock);
    return err->status;
}

bool den_roster_has(struct den_roster *roster, enum den_worker_role role)
{
    struct den_roster_member *member = NULL;
    struct den_error ignored = { 0 };

    pthread_mutex_lock(&roster->lock);
    look_up(roster, NULL, role, &member, &ignored);
    pthread_mutex_unlock(&roster->lock);
    return member != NULL;
}

void den_roster_give_back(struct den_roster *roster, struct den_worker *worker)
{
    size_t i;

    if (!worker)
        return;
    pthread_mutex_lock(&roster->lock);
    for (i = 0; i < roster->member_count; i++)
        if (roster->members[i]->worker == worker) {
            roster->members[i]->taken--;
            roster->members[i]->used_at = den_clock_seconds();
        }
    pthread_mutex_unlock(&roster->lock);
}

/* A model that was never loaded was only guessed at: it is loaded, and says itself what it is. */
static enum den_status learn_role(struct den_roster *roster, struct den_roster_entry *entry,
                                  enum den_worker_role role, struct den_error *err)
{
    struct den_worker *worker = NULL;

    if (den_roster_take(roster, entry->name, role, &worker, err) != DEN_OK)
        return err->status;
    entry->role = role;
    den_roster_give_back(roster, worker);
    return DEN_OK;
}

enum den_status den_roster_set_role(struct den_roster *roster, enum den_worker_role role,
                                    const char *name, struct den_error *err)
{
    struct den_roster_entry entry;

    if (den_roster_find(roster, name, &entry, err) != DEN_OK ||
        (entry.role != role && !entry.info && learn_role(roster, &entry, role, err) != DEN_OK))
        return err->status;
    if (entry.role != role)
        return den_fail(err, DEN_UNSUPPORTED, "'%s' has the role %s, not %s", entry.name,
                        den_role_names[entry.role], den_role_names[role]);
    pthread_mutex_lock(&roster->lock);
    snprintf(roster->defaults[role], sizeof roster->defaults[role], "%s", entry.name);
    pthread_mutex_unlock(&roster->lock);
    return DEN_OK;
}

enum den_status den_roster_unload(struct den_roster *roster, const char *name,
                                  struct den_error *err)
{
    char wanted[DEN_PATH_BYTES_MAX];
    struct den_roster_member *member;

    den_roster_plain_name(wanted, sizeof wanted, name);
    pthread_mutex_lock(&roster->lock);
    member = den_roster_member(roster, wanted);
    if (!member)
        den_fail(err, DEN_NOT_FOUND, "the model '%.128s' is not loaded", wanted);
    else if (member->taken > 0 || member->is_starting)
        den_fail(err, DEN_BUSY, "the model '%s' is answering; try again when it has", member->name);
    else if (member->worker)
        den_worker_sleep(member->worker, err);
    pthread_mutex_unlock(&roster->lock);
    return err->status;
}

double den_roster_idle_seconds(const struct den_roster *roster)
{
    return roster->worker.idle_seconds;
}

size_t den_roster_workers(struct den_roster *roster, struct den_worker **out, size_t capacity)
{
    size_t count = 0, i;

    pthread_mutex_lock(&roster->lock);
    for (i = 0; i < roster->member_count && count < capacity; i++)
        if (roster->members[i]->worker)
            out[count++] = roster->members[i]->worker;
    pthread_mutex_unlock(&roster->lock);
    return count;
}

struct den_roster_limits den_roster_limits(const struct den_roster *roster)
{
    return (struct den_roster_limits){ .memory_bytes = roster->memory_bytes,
                                       .context_tokens = roster->worker.context_tokens,
                                       .threads = roster->worker.threads,
                                       .int8_cache = roster->worker.int8_cache };
}

/* The member stays, nameless, with its sleeping worker: others may still point into it. */
enum den_status den_roster_forget(struct den_roster *roster, const char *name,
                                  struct den_error *err)
{
    char wanted[DEN_PATH_BYTES_MAX];
    struct den_roster_member *member;
    int role;

    den_roster_plain_name(wanted, sizeof wanted, name);
    pthread_mutex_lock(&roster->lock);
    member = den_roster_member(roster, wanted);
    if (member && (member->taken > 0 || member->is_starting))
        den_fail(err, DEN_IN_USE, "the model '%s' is in use; try again when it has answered",
                 member->name);
    else if (member && member->worker)
        den_worker_sleep(member->worker, err);
    if (err->status == DEN_OK) {
        for (role = 0; role < DEN_ROLES; role++)
            if (strcmp(roster->defaults[role], wanted) == 0)
                roster->defaults[role][0] = '\0';
        if (member)
            member->name[0] = member->path[0] = '\0';
    }
    pthread_mutex_unlock(&roster->lock);
    return err->status;
}
