/* den serve: starts the worker and the HTTP server, says where the page is, and waits for a signal
 * to end. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/server.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/model_options.h"
#include "cli/serving_note.h"
#include "desk/catalogue.h"
#include "desk/model_manager.h"
#include "guard/api_token.h"
#include "guard/origin.h"

/* The token that clients must show: the one given, else, where others can reach the address or it
 * is asked for, the one kept in $DEN_HOME/token. NULL: none is needed. */
static enum den_status choose_token(const struct den_arguments *arguments, char *buffer,
                                    const char **out, struct den_error *err)
{
    const char *given = den_argument_text(arguments, "token");
    char home[DEN_PATH_BYTES_MAX];
    char path[DEN_PATH_BYTES_MAX];

    *out = NULL;
    if (given && !den_api_token_is_well_formed(given))
        return den_fail(err, DEN_INVALID, "--token: 20 to %d visible ASCII characters are needed",
                        DEN_API_TOKEN_LENGTH_MAX);
    *out = given;
    if (given || (den_address_is_loopback(den_argument_text(arguments, "host")) &&
                  !den_argument_flag(arguments, "require-token")))
        return DEN_OK;
    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK ||
        den_path_join(path, sizeof path, home, "token", err) != DEN_OK ||
        den_api_token_load(path, buffer, err) != DEN_OK)
        return err->status;
    fprintf(stderr, "clients need the API token in %s (Authorization: Bearer ...)\n", path);
    *out = buffer;
    return DEN_OK;
}

static void start_log(const struct den_arguments *arguments)
{
    static const char *const levels[] = { "none", "error", "warning", "info", "debug" };
    const char *level = den_argument_text(arguments, "log-level");
    size_t i;

    for (i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(level, levels[i]) == 0)
            den_log_start((enum den_log_level)i,
                          strcmp(den_argument_text(arguments, "log-format"), "json") == 0,
                          STDERR_FILENO);
}

/* Blocks SIGINT and SIGTERM in all threads started after it; wait_for_signal() then takes them. */
static void block_signals(sigset_t *ending)
{
    sigemptyset(ending);
    sigaddset(ending, SIGINT);
    sigaddset(ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, ending, NULL);
}

/* While the model loads nobody waits for a signal: this thread does, and the program dies of it.
 * SIGUSR1 tells it to stop waiting: a thread that is cancelled in sigwait() may have taken a signal
 * that nobody hears of then. */
static void *end_at_once(void *ending)
{
    sigset_t awaited = *(sigset_t *)ending;
    int taken = SIGTERM;

    sigaddset(&awaited, SIGUSR1);
    sigwait(&awaited, &taken);
    if (taken == SIGUSR1)
        return NULL;
    signal(taken, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, ending, NULL);
    raise(taken);
    return NULL;
}

/* Loads the chat model; a signal meanwhile ends the program, and the worker process with it. */
static enum den_status take_model(struct den_roster *roster, sigset_t *ending,
                                  struct den_worker **out, struct den_error *err)
{
    sigset_t loaded;
    pthread_t waiting;

    sigemptyset(&loaded);
    sigaddset(&loaded, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &loaded, NULL);
    if (pthread_create(&waiting, NULL, end_at_once, ending) != 0)
        return den_fail(err, DEN_NO_MEMORY, "serve: the system gives no thread");
    den_roster_take(roster, NULL, DEN_WORKER_CHAT, out, err);
    pthread_kill(waiting, SIGUSR1);
    pthread_join(waiting, NULL);
    pthread_sigmask(SIG_UNBLOCK, &loaded, NULL);
    return err->status;
}

static void write_address(const struct den_server_options *options, const char *host, unsigned port,
                          char out[DEN_SERVING_ADDRESS_BYTES])
{
    const bool is_ipv6 = strchr(host, ':') != NULL;

    snprintf(out, DEN_SERVING_ADDRESS_BYTES, "http%s://%s%s%s:%u", options->tls_key ? "s" : "",
             is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

/* To the user, and to other verbs on this machine: for them "all addresses" is the loopback one. */
static void tell_address(const struct den_server_options *options, unsigned port)
{
    const char *host = options->address;
    struct den_cli_serving serving = { .process = (long)getpid() };

    write_address(options, host, port, serving.address);
    printf("Den is at %s ", serving.address);
    host = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
    write_address(options, host, port, serving.address);
    den_cli_serving_note(options->home, &serving);
}

/* `info` is NULL where there is no model to answer yet. */
static enum den_status serve(const struct den_arguments *arguments, struct den_desk *desk,
                             const struct den_worker_info *info, struct den_error *err)
{
    char token[DEN_API_TOKEN_LENGTH_MAX + 1], home[DEN_PATH_BYTES_MAX], tokens[DEN_PATH_BYTES_MAX];
    struct den_server_options options = {
        .address = den_argument_text(arguments, "host"),
        .port = (uint16_t)den_argument_integer(arguments, "port"),
        .desk = desk,
        .tokens = tokens,
        .home = home,
        .tls_certificate = den_argument_text(arguments, "tls-certificate"),
        .tls_key = den_argument_text(arguments, "tls-key"),
    };
    struct den_server *server;
    sigset_t ending;
    int taken;

    if (choose_token(arguments, token, &options.token, err) != DEN_OK ||
        den_path_home(home, sizeof home, err) != DEN_OK ||
        den_path_join(tokens, sizeof tokens, home, "tokens.json", err) != DEN_OK)
        return err->status;
    block_signals(&ending);
    if (den_server_start(&options, &server, err) != DEN_OK)
        return err->status;
    tell_address(&options, den_server_port(server));
    if (info)
        printf("(model %s, %zu tokens of context). Ctrl-C ends it.\n", info->model_name,
               info->context_tokens);
    else
        printf("(no model is installed: its page downloads one, and so does 'den pull smollm2'). "
               "Ctrl-C ends it.\n");
    fflush(stdout);
    sigwait(&ending, &taken);
    den_cli_serving_forget(home);
    den_server_stop(server);
    return DEN_OK;
}

static bool is_installed(const char *name)
{
    const struct den_catalogue_entry *entry;
    struct den_catalogue *catalogue;
    struct den_error ignored = { 0 };
    bool is;

    if (!name || !*name || den_catalogue_create(&catalogue, &ignored) != DEN_OK)
        return false;
    entry = den_catalogue_find(catalogue, name);
    is = entry && entry->installed;
    den_catalogue_destroy(catalogue);
    return is;
}

/* The model that was asked for, else the one kept for the role, else the table's default; of these
 * two only what is installed. NULL: the first installed one, which may come later. */
static const char *role_model(const struct den_arguments *arguments, const char *option,
                              enum den_worker_role role, char kept[DEN_MODEL_NAME_BYTES_MAX])
{
    const char *given = den_argument_text(arguments, option);

    if (den_argument_given(arguments, option))
        return given;
    den_models_kept_role(role, kept, DEN_MODEL_NAME_BYTES_MAX);
    if (is_installed(kept))
        return kept;
    return is_installed(given) ? given : NULL;
}

/* NULL where there is no home: then nothing is remembered. */
static const char *prefix_folder(char out[DEN_PATH_BYTES_MAX])
{
    struct den_error ignored = { 0 };
    char home[DEN_PATH_BYTES_MAX];

    if (den_path_home(home, sizeof home, &ignored) != DEN_OK ||
        den_folder_create(home, &ignored) != DEN_OK ||
        den_path_join(out, DEN_PATH_BYTES_MAX, home, "prefix", &ignored) != DEN_OK)
        return NULL;
    return out;
}

/* NULL: none is asked for, or (with an error) it can't be found. */
static const char *draft_path(const struct den_arguments *arguments, char out[DEN_PATH_BYTES_MAX],
                              struct den_error *err)
{
    const char *name = den_argument_text(arguments, "draft");
    struct den_catalogue *catalogue;

    if (!name || den_catalogue_create(&catalogue, err) != DEN_OK)
        return NULL;
    den_catalogue_resolve(catalogue, name, out, DEN_PATH_BYTES_MAX, err);
    den_catalogue_destroy(catalogue);
    return err->status == DEN_OK ? out : NULL;
}

/* The chat model is loaded before the address is told: what can't be loaded is said at once. With
 * no model at all Den starts too, for its page is where one is downloaded. */
static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    char chat[DEN_MODEL_NAME_BYTES_MAX], embedding[DEN_MODEL_NAME_BYTES_MAX];
    char draft[DEN_PATH_BYTES_MAX];
    char reranker[DEN_MODEL_NAME_BYTES_MAX];
    char folder[DEN_PATH_BYTES_MAX];
    const struct den_desk_options options = {
        .roster = {
            .worker = {
                .threads = (int)den_argument_integer(arguments, "threads"),
                .cpu_features = den_argument_text(arguments, "cpu-features"),
                .context_tokens = (size_t)den_argument_integer(arguments, "context"),
                .sequences = (size_t)den_argument_integer(arguments, "parallel"),
                .fp32 = strcmp(den_argument_text(arguments, "precision"), "fp32") == 0,
                .int8_cache = strcmp(den_argument_text(arguments, "cache"), "int8") == 0,
                .no_speculation = strcmp(den_argument_text(arguments, "speculation"), "off") == 0,
                .draft_path = draft_path(arguments, draft, err),
                .require_sandbox = den_argument_flag(arguments, "require-sandbox"),
                .idle_seconds = den_argument_number(arguments, "idle-minutes") * 60,
                .prefix_folder = prefix_folder(folder),
                .prefix_bytes = (uint64_t)den_argument_integer(arguments, "prefix-cache") << 20,
            },
            .chat_model = role_model(arguments, "model", DEN_WORKER_CHAT, chat),
            .embedding_model =
                role_model(arguments, "embedding-model", DEN_WORKER_EMBEDDING, embedding),
            .reranker_model =
                role_model(arguments, "reranker-model", DEN_WORKER_RERANKER, reranker),
            .memory_bytes = (size_t)den_argument_integer(arguments, "memory") << 20,
        },
    };
    struct den_worker *worker;
    struct den_desk *desk;
    sigset_t ending;

    if (err->status != DEN_OK)
        return err->status;
    start_log(arguments);
    block_signals(&ending); /* before any thread exists: they inherit the mask */
    if (den_desk_create(&options, &desk, err) != DEN_OK)
        return err->status;
    if (take_model(den_desk_roster(desk), &ending, &worker, err) == DEN_OK) {
        const struct den_worker_info *info = den_worker_info(worker);

        den_roster_give_back(den_desk_roster(desk), worker);
        serve(arguments, desk, info, err);
    } else if (err->status == DEN_NOT_FOUND && !den_argument_given(arguments, "model")) {
        *err = (struct den_error){ 0 };
        serve(arguments, desk, NULL, err);
    }
    den_desk_destroy(desk);
    return err->status;
}

static const struct den_option options[] = {
    DEN_OPTION_MODEL,
    { .name = "port",
      .letter = 'p',
      .kind = DEN_OPTION_INTEGER,
      .value = "PORT",
      .fallback = "4327",
      .minimum = 0,
      .maximum = 65535,
      .help = "0 takes any free one and prints it" },
    { .name = "host",
      .kind = DEN_OPTION_TEXT,
      .value = "ADDRESS",
      .fallback = "127.0.0.1",
      .help = "address to listen on; any but a loopback one makes clients show the API token" },
    { .name = "token",
      .kind = DEN_OPTION_TEXT,
      .value = "TOKEN",
      .help = "the API token clients must show; without it, one is made and kept in "
              "$DEN_HOME/token when needed" },
    { .name = "require-token",
      .kind = DEN_OPTION_FLAG,
      .help = "ask for the API token on loopback too" },
    { .name = "tls-certificate",
      .kind = DEN_OPTION_TEXT,
      .value = "FILE",
      .help = "serve HTTPS with this certificate (PEM, with its chain); needs --tls-key" },
    { .name = "tls-key",
      .kind = DEN_OPTION_TEXT,
      .value = "FILE",
      .help = "the certificate's private key (PEM)" },
    { .name = "log-level",
      .kind = DEN_OPTION_TEXT,
      .value = "LEVEL",
      .fallback = "warning",
      .choices = "none|error|warning|info|debug",
      .help = "what is written to standard error; info has a line for each request. What people "
              "write and models answer is never in it" },
    { .name = "log-format",
      .kind = DEN_OPTION_TEXT,
      .value = "FORMAT",
      .fallback = "text",
      .choices = "text|json",
      .help = "json writes one object a line" },
    { .name = "parallel",
      .kind = DEN_OPTION_INTEGER,
      .value = "N",
      .fallback = "8",
      .minimum = 1,
      .maximum = DEN_SEQUENCES_MAX,
      .help = "requests run together; more wait in line" },
    { .name = "embedding-model",
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "the model that makes embeddings; default: the first installed one" },
    { .name = "reranker-model",
      .kind = DEN_OPTION_TEXT,
      .value = "NAME",
      .help = "the cross-encoder that reads the best hits of a search again; default: the first "
              "installed one" },
    { .name = "idle-minutes",
      .kind = DEN_OPTION_NUMBER,
      .value = "M",
      .fallback = "15",
      .minimum = 0,
      .maximum = 100000,
      .help = "a model that nobody has asked for so long gives its memory back; 0: never" },
    { .name = "memory",
      .kind = DEN_OPTION_INTEGER,
      .value = "MIB",
      .fallback = "0",
      .minimum = 0,
      .maximum = 1 << 24,
      .help = "memory that all loaded models may take; 0: three quarters of the machine's" },
    { .name = "prefix-cache",
      .kind = DEN_OPTION_INTEGER,
      .value = "MIB",
      .fallback = "256",
      .minimum = 0,
      .maximum = 1 << 20,
      .help = "disk that each model may take to remember long prompts across restarts, in "
              "$DEN_HOME/prefix; 0: none, and what is there is removed" },
    { .name = "require-sandbox",
      .kind = DEN_OPTION_FLAG,
      .help = "refuse to run a model unless every wall of the sandbox stands" },
    DEN_OPTIONS_ENGINE,
    DEN_OPTION_PRECISION,
    DEN_OPTION_SPECULATION,
    DEN_OPTION_DRAFT,
};

const struct den_verb den_verb_serve = {
    .name = "serve",
    .summary = "start the page and the HTTP API",
    .operands = "",
    .configurable = true,
    .description = "Serves a chat page and OpenAI's chat API at http://127.0.0.1:4327 until "
                   "Ctrl-C. Only programs on this "
                   "machine can connect, unless another --host is given.",
    .examples = "den serve\nden serve --port 8080 -m ~/models/qwen3-0.6b-q4_k_m.gguf\nden serve "
                "--host 0.0.0.0\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
