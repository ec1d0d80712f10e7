/* Answers from the roster's workers. */
#include "desk/answers.h"
#include "desk/roster.h"

static enum den_status take(void *context, const char *model, struct den_worker **out,
                            const char **out_model, size_t *out_context_tokens,
                            struct den_error *err)
{
    if (den_roster_take(context, model, DEN_WORKER_CHAT, out, err) != DEN_OK)
        return err->status;
    *out_model = den_worker_info(*out)->model_name;
    *out_context_tokens = den_worker_info(*out)->context_tokens;
    return DEN_OK;
}

static void give_back(void *context, struct den_worker *worker)
{
    den_roster_give_back(context, worker);
}

static size_t parameters(struct den_worker *worker)
{
    return den_worker_info(worker)->parameters;
}

struct den_answer_source den_answer_source_of(struct den_roster *roster,
                                              struct den_retrieval *retrieval)
{
    return (struct den_answer_source){ .context = roster,
                                       .take = take,
                                       .give_back = give_back,
                                       .submit = den_worker_submit,
                                       .cancel = den_ticket_cancel,
                                       .release = den_ticket_release,
                                       .tokenize = den_worker_tokenize,
                                       .apply_template = den_worker_apply_template,
                                       .parameters = parameters,
                                       .retrieval = retrieval };
}
