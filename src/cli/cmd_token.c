/* den token: the API tokens that other programs and people get. A running server sees each change
 * with the next request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "guard/access.h"

static enum den_status open_access(struct den_access **out, struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX], path[DEN_PATH_BYTES_MAX];
    const struct den_access_options options = { .path = path };

    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK ||
        den_path_join(path, sizeof path, home, "tokens.json", err) != DEN_OK)
        return err->status;
    return den_access_open(&options, out, err);
}

static json_t *token_json(const struct den_access_token *token)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I}", "id", token->id, "name", token->name, "scope",
                     den_scope_text(token->scope), "created", (json_int_t)token->created_ms,
                     "last_used", (json_int_t)token->last_used_ms);
}

static enum den_status create(struct den_access *access, const struct den_arguments *arguments,
                              struct den_error *err)
{
    char text[DEN_ACCESS_TOKEN_LENGTH + 1];
    struct den_access_token token;
    enum den_scope scope;
    json_t *made;

    if (den_scope_read(den_argument_text(arguments, "scope"), &scope, err) != DEN_OK ||
        den_access_create(access, den_operand(arguments, 1), scope, &token, text, err) != DEN_OK)
        return err->status;
    if (den_argument_flag(arguments, "json")) {
        made = token_json(&token);
        json_object_set_new(made, "token", json_string(text));
        return den_cli_print_json(made, err);
    }
    printf("%s\n", text);
    fprintf(stderr, "%s (scope %s) is shown this once; 'den token revoke %s' ends it\n", token.name,
            den_scope_text(scope), token.id);
    return DEN_OK;
}

static void print_day(int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm day;
    char text[16] = "never";

    if (ms > 0 && localtime_r(&seconds, &day))
        strftime(text, sizeof text, "%Y-%m-%d", &day);
    printf("%-12s ", text);
}

static enum den_status list(struct den_access *access, const struct den_arguments *arguments,
                            struct den_error *err)
{
    struct den_access_token *tokens;
    json_t *array = json_array();
    size_t count = 0, i;

    if (den_access_list(access, &tokens, &count, err) != DEN_OK) {
        json_decref(array);
        return err->status;
    }
    if (count == 0 && !den_argument_flag(arguments, "json"))
        fputs("there are no tokens; 'den token create NAME' makes one\n", stderr);
    if (count > 0 && !den_argument_flag(arguments, "json"))
        printf("%-*s %-6s %-12s %-12s %s\n", DEN_ACCESS_ID_LENGTH, "id", "scope", "created",
               "last used", "name");
    for (i = 0; i < count; i++) {
        json_array_append_new(array, token_json(&tokens[i]));
        if (den_argument_flag(arguments, "json"))
            continue;
        printf("%s %-6s ", tokens[i].id, den_scope_text(tokens[i].scope));
        print_day(tokens[i].created_ms);
        print_day(tokens[i].last_used_ms);
        printf("%s\n", tokens[i].name);
    }
    free(tokens);
    if (den_argument_flag(arguments, "json"))
        return den_cli_print_json(array, err);
    json_decref(array);
    return DEN_OK;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const char *action = den_operand_count(arguments) > 0 ? den_operand(arguments, 0) : "list";
    const bool is_list = strcmp(action, "list") == 0, is_create = strcmp(action, "create") == 0;
    struct den_access *access;

    if (!is_list && !is_create && strcmp(action, "revoke") != 0)
        return den_fail(err, DEN_INVALID,
                        "there is no 'den token %.40s'; it takes create, list or revoke", action);
    if (den_operand_count(arguments) > 0 && den_operand_count(arguments) != (is_list ? 1u : 2u))
        return den_fail(err, DEN_INVALID, "den token %s takes %s", action,
                        is_list     ? "nothing more"
                        : is_create ? "a name for the token, as in: den token create laptop"
                                    : "the id of the token, which den token list shows");
    if (open_access(&access, err) != DEN_OK)
        return err->status;
    if (is_list)
        list(access, arguments, err);
    else if (is_create)
        create(access, arguments, err);
    else
        den_access_revoke(access, den_operand(arguments, 1), err);
    den_access_close(access);
    return err->status;
}

static const struct den_option options[] = {
    { .name = "scope",
      .kind = DEN_OPTION_TEXT,
      .value = "SCOPE",
      .fallback = "chat",
      .choices = "read|chat|admin",
      .help = "what a new token may do: read sees models and figures, chat asks models and sees "
              "conversations, admin does everything" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_token = {
    .name = "token",
    .summary = "make, list and revoke API tokens",
    .operands = "[create NAME | list | revoke ID]",
    .operands_max = 2,
    .description = "A token lets a program or a person in where one is asked for (another --host, "
                   "or --require-token), with no more right than its scope. It is printed once, "
                   "when it is made; only its hash is kept, in $DEN_HOME/tokens.json. A running "
                   "server takes changes up at once. Without operands it lists them.",
    .examples = "den token create laptop\nden token create grafana --scope read\nden token\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
