/* The verbs, in the order help shows them. */
#include <string.h>

#include "cli/verb.h"

extern const struct den_verb den_verb_serve, den_verb_chat, den_verb_generate, den_verb_embed,
    den_verb_tokenize, den_verb_template, den_verb_perplexity, den_verb_bench, den_verb_models,
    den_verb_pull, den_verb_export, den_verb_import, den_verb_token, den_verb_doctor, den_verb_add,
    den_verb_search, den_verb_ask, den_verb_report, den_verb_backup, den_verb_restore,
    den_verb_help;

const struct den_verb *const den_verbs[] = {
    &den_verb_serve,
    &den_verb_chat,
    &den_verb_generate,
    &den_verb_embed,
    &den_verb_add,
    &den_verb_search,
    &den_verb_ask,
    &den_verb_report,
    &den_verb_tokenize,
    &den_verb_template,
    &den_verb_perplexity,
    &den_verb_bench,
    &den_verb_models,
    &den_verb_pull,
    &den_verb_export,
    &den_verb_import,
    &den_verb_backup,
    &den_verb_restore,
    &den_verb_token,
    &den_verb_doctor,
    &den_verb_help,
    NULL,
};

const struct den_verb *den_verb_find(const char *name)
{
    size_t i;

    for (i = 0; den_verbs[i]; i++)
        if (strcmp(den_verbs[i]->name, name) == 0)
            return den_verbs[i];
    return NULL;
}
