/* Reports, written by a model of the test's own: what is made, what survives, what is refused. */
#include "passage_scratch.h"

#include <pthread.h>

#include "desk/jobs.h"
#include "desk/reports.h"

/* --- the model: it says the first sentence of the text that it is asked about --- */

struct den_ticket {
    pthread_t thread;
    den_worker_handler handler;
    void *context;
    char answer[512];
    bool is_cancelled;
};

static struct script {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t allowed;    /* answers that may go out */
    size_t asked;      /* questions so far */
    size_t answered;   /* answers so far */
    const char *reply; /* what is said instead; NULL: see above */
    enum den_status take_status;
    size_t context_tokens, parameters;
    bool is_batch; /* all questions were of the batch class */
} script;

static struct den_reports *reports;

/* The text between the fences, up to its first full stop. */
static void first_sentence(const char *prompt, char *out, size_t capacity)
{
    const char *text = strstr(prompt, "```\n");
    size_t length;

    text = text ? text + 4 : prompt;
    while (*text == '#') /* headings */
        text += strcspn(text, "\n") + 1;
    length = strcspn(text, ".");
    snprintf(out, capacity, "%.*s.", (int)length, text);
}

static void *answer(void *context)
{
    struct den_ticket *ticket = context;
    struct den_worker_event event = { .kind = DEN_WORKER_TEXT };
    bool is_cancelled;

    pthread_mutex_lock(&script.lock);
    while (!ticket->is_cancelled && script.answered >= script.allowed)
        pthread_cond_wait(&script.changed, &script.lock);
    is_cancelled = ticket->is_cancelled;
    script.answered += !is_cancelled;
    pthread_mutex_unlock(&script.lock);
    event.text = ticket->answer;
    event.text_length = strlen(ticket->answer);
    if (!is_cancelled)
        ticket->handler(ticket->context, &event);
    event = (struct den_worker_event){ .kind = DEN_WORKER_END,
                                       .finish = is_cancelled ? "cancelled" : "stop" };
    ticket->handler(ticket->context, &event);
    return NULL;
}

static enum den_status take(void *context, const char *model, struct den_worker **out,
                            const char **out_model, size_t *out_context_tokens,
                            struct den_error *error)
{
    enum den_status status;

    pthread_mutex_lock(&script.lock);
    status = script.take_status;
    *out = (struct den_worker *)&script;
    *out_model = *model ? model : "tiny";
    *out_context_tokens = script.context_tokens;
    pthread_mutex_unlock(&script.lock);
    return status == DEN_OK ? DEN_OK : den_fail(error, status, "there is no such model");
}

static void give_back(void *context, struct den_worker *worker)
{
}

static enum den_status submit(struct den_worker *worker, const struct den_worker_request *request,
                              den_worker_handler handler, void *context, struct den_ticket **out,
                              struct den_error *error)
{
    struct den_ticket *ticket = calloc(1, sizeof *ticket);
    const char *prompt =
        json_string_value(json_object_get(json_array_get(request->messages, 0), "content"));

    ticket->handler = handler;
    ticket->context = context;
    pthread_mutex_lock(&script.lock);
    script.asked++;
    script.is_batch = script.is_batch && request->batch;
    if (script.reply)
        snprintf(ticket->answer, sizeof ticket->answer, "%s", script.reply);
    else
        first_sentence(prompt, ticket->answer, sizeof ticket->answer);
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
    *out = ticket;
    return pthread_create(&ticket->thread, NULL, answer, ticket) == 0 ? DEN_OK : DEN_INTERNAL;
}

static void cancel(struct den_ticket *ticket)
{
    pthread_mutex_lock(&script.lock);
    ticket->is_cancelled = true;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static void release(struct den_ticket *ticket)
{
    cancel(ticket);
    pthread_join(ticket->thread, NULL);
    free(ticket);
}

static size_t parameters(struct den_worker *worker)
{
    return script.parameters;
}

/* --- the test's own ways --- */

static void allow(size_t answers)
{
    pthread_mutex_lock(&script.lock);
    script.allowed = answers;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
}

static size_t count_asked(void)
{
    size_t asked;

    pthread_mutex_lock(&script.lock);
    asked = script.asked;
    pthread_mutex_unlock(&script.lock);
    return asked;
}

static void wait_until_asked(size_t questions)
{
    pthread_mutex_lock(&script.lock);
    while (script.asked < questions)
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
}

static void open_queue(void)
{
    const struct den_reports_options options = { .database = database,
                                                 .events = events,
                                                 .source = { .take = take,
                                                             .give_back = give_back,
                                                             .submit = submit,
                                                             .cancel = cancel,
                                                             .release = release,
                                                             .parameters = parameters,
                                                             .retrieval = retrieval } };

    assert_ok(den_reports_open(&options, &reports, &err));
}

static int open_reports(void **state)
{
    open_passages(state);
    pthread_mutex_init(&script.lock, NULL);
    pthread_cond_init(&script.changed, NULL);
    script.allowed = SIZE_MAX;
    script.asked = script.answered = 0;
    script.reply = NULL;
    script.take_status = DEN_OK;
    script.context_tokens = 2048;
    script.parameters = 135000000;
    script.is_batch = true;
    open_queue();
    return 0;
}

static int close_reports(void **state)
{
    char path[160];

    den_reports_close(reports);
    reports = NULL;
    snprintf(path, sizeof path, "%s.reporting", scratch_path);
    unlink(path);
    pthread_cond_destroy(&script.changed);
    pthread_mutex_destroy(&script.lock);
    return close_passages(state);
}

static json_t *make(const char *fields)
{
    json_t *given = parse(fields), *report = NULL;

    assert_ok(den_report_create(reports, given, &report, &err));
    json_decref(given);
    return report;
}

static json_t *get(const char *id)
{
    json_t *report = NULL;

    assert_ok(den_report_get(reports, id, &report, &err));
    return report;
}

/* The report in that state; `made` is given up. */
static json_t *wait_for_state(json_t *made, const char *state)
{
    char id[80];
    json_t *report;

    snprintf(id, sizeof id, "%s", text_at(made, "id"));
    json_decref(made);
    for (;;) {
        report = get(id);
        if (strcmp(text_at(report, "state"), state) == 0)
            return report;
        if (strcmp(text_at(report, "state"), "failed") == 0)
            fail_msg("%s", text_at(report, "error"));
        json_decref(report);
        usleep(5000);
    }
}

/* The report once it has ended, well or not. */
static json_t *wait_for_end(const json_t *made)
{
    for (;;) {
        json_t *report = get(json_string_value(json_object_get(made, "id")));

        if (json_is_integer(json_object_get(report, "ended")))
            return report;
        json_decref(report);
        usleep(5000);
    }
}

static void change(const json_t *report, const char *fields)
{
    json_t *given = parse(fields), *changed = NULL;

    assert_ok(den_report_change(reports, json_string_value(json_object_get(report, "id")), given,
                                &changed, &err));
    json_decref(given);
    json_decref(changed);
}

static int64_t count_rows(const char *sql)
{
    struct den_connection *connection;
    struct den_query query;
    int64_t count = -1;

    assert_ok(den_database_read(database, &connection, &err));
    den_query_start(&query, connection, &err, sql, "");
    if (den_query_next(&query, &err))
        count = den_query_integer(&query, 0);
    den_query_end(&query);
    assert_ok(den_connection_end(connection, &err));
    return count;
}

static void remove_document(const char *id)
{
    struct den_connection *connection;

    assert_ok(den_database_write(database, &connection, &err));
    den_execute(connection, &err, "DELETE FROM documents WHERE id = ?", "t", id);
    assert_ok(den_connection_end(connection, &err));
}

static void add_leases(void)
{
    make_workspace("{'id':'w1','name':'House'}");
    add_passages("lease", "w1",
                 "The lease of the mill was signed by Anna Becker in March.|"
                 "The tenant pays a rent of 1200 euros each month.|"
                 "The garden belongs to the tenant.");
    add_passages("renewal", "w1",
                 "The lease of the mill was signed by Anna Becker in May.|"
                 "The tenant pays a rent of 1350 euros each month.|"
                 "Heating costs nobody anything.");
}

/* `count` passages of a sentence each, numbered. */
static void add_long(const char *id, size_t count)
{
    struct den_buffer text;
    size_t i;

    den_buffer_init(&text, 1 << 20);
    for (i = 0; i < count; i++)
        den_buffer_appendf(&text,
                           "%sStation %zu of the railway lies %zu miles from the harbour and has a "
                           "waiting room with benches and a small garden behind it.",
                           i > 0 ? "|" : "", i + 1, 3 * i + 7);
    add_passages(id, "w1", text.data);
    den_buffer_deinit(&text);
}

/* --- summaries --- */

static void a_summary_stands_on_passages(void **state)
{
    json_t *report;

    add_leases();
    report = wait_for_state(make("{'kind':'summary','documents':['lease']}"), "done");
    assert_string_equal(text_at(report, "result.text"),
                        "The lease of the mill was signed by Anna Becker in March. [1]");
    assert_string_equal(text_at(report, "result.citations.0.start"), "58");
    assert_string_equal(text_at(report, "result.citations.0.end"), "61");
    assert_string_equal(text_at(report, "result.citations.0.supported"), "true");
    assert_string_equal(text_at(report, "result.passages.0.document"), "lease");
    assert_string_equal(text_at(report, "result.passages.0.number"), "1");
    assert_string_equal(text_at(report, "result.passages.0.part.number"), "7");
    assert_string_equal(text_at(report, "title"), "Summary of lease.txt");
    assert_string_equal(text_at(report, "model"), "tiny");
    assert_string_equal(text_at(report, "done"), text_at(report, "total"));
    assert_true(script.is_batch);
    forget(report);
}

static void a_workspace_is_summarised_document_by_document(void **state)
{
    json_t *report;

    add_leases();
    report = wait_for_state(make("{'kind':'summary','workspace':'w1'}"), "done");
    assert_string_equal(text_at(report, "title"), "Summary of lease.txt and renewal.txt");
    assert_string_equal(text_at(report, "total"), "3"); /* two pieces, and both together */
    assert_non_null(strstr(text_at(report, "result.text"), "**lease.txt**\n\nThe lease"));
    assert_non_null(strstr(text_at(report, "result.text"), "in May. [2]"));
    forget(report);
}

static void a_long_document_is_cut_and_joined(void **state)
{
    json_t *report;
    size_t total;

    make_workspace("{'id':'w1','name':'House'}");
    script.context_tokens = 480; /* a few sentences */
    add_long("rails", 60);
    report = wait_for_state(make("{'kind':'summary','documents':['rails']}"), "done");
    total = (size_t)json_integer_value(json_object_get(report, "total"));
    assert_true(total > 12);
    assert_int_equal(json_integer_value(json_object_get(report, "done")), total);
    assert_true(count_asked() <= total && count_asked() > total / 2);
    assert_non_null(strstr(text_at(report, "result.text"), "Station 1 of the railway"));
    assert_int_equal(count_rows("SELECT count(*) FROM report_steps"), 0);
    forget(report);
}

/* --- surviving --- */

static void a_restart_goes_on_where_it_was(void **state)
{
    json_t *report;
    size_t total;

    make_workspace("{'id':'w1','name':'House'}");
    script.context_tokens = 480;
    add_long("rails", 60);
    allow(3);
    report = make("{'kind':'summary','documents':['rails']}");
    wait_until_asked(4); /* the fourth waits: three are kept */
    den_reports_close(reports);
    assert_int_equal(count_rows("SELECT count(*) FROM report_steps WHERE output IS NOT NULL"), 3);
    assert_int_equal(count_rows("SELECT count(*) FROM jobs WHERE state = 'running'"), 1);
    allow(SIZE_MAX);
    open_queue();
    report = wait_for_state(report, "done");
    total = (size_t)json_integer_value(json_object_get(report, "total"));
    assert_true(count_asked() <= total + 1); /* the fourth was asked twice, no other */
    forget(report);
}

static void a_pause_ends_what_is_asked(void **state)
{
    json_t *report, *other, *so_far;

    add_leases();
    allow(1);
    report = make("{'kind':'summary','workspace':'w1'}");
    wait_until_asked(2);
    change(report, "{'state':'paused'}");
    so_far = get(text_at(report, "id"));
    assert_string_equal(text_at(so_far, "state"), "paused");
    assert_string_equal(text_at(so_far, "done"), "1");
    assert_non_null(strstr(text_at(so_far, "result.text"), "signed by Anna Becker in March"));
    forget(so_far);
    allow(SIZE_MAX);
    other = wait_for_state(make("{'kind':'summary','documents':['lease']}"), "done");
    forget(other); /* it did not wait for the one that is paused */
    change(report, "{'state':'running'}");
    report = wait_for_state(report, "done");
    forget(report);
}

static void what_is_removed_is_gone(void **state)
{
    json_t *report, *gone = NULL;

    add_leases();
    allow(0);
    report = make("{'kind':'summary','workspace':'w1'}");
    wait_until_asked(1);
    assert_ok(den_report_delete(reports, text_at(report, "id"), &err));
    assert_fails(den_report_get(reports, text_at(report, "id"), &gone, &err), DEN_NOT_FOUND);
    assert_fails(den_report_delete(reports, text_at(report, "id"), &err), DEN_NOT_FOUND);
    assert_int_equal(count_rows("SELECT count(*) FROM report_steps"), 0);
    forget(report);
    allow(SIZE_MAX);
    report = wait_for_state(make("{'kind':'summary','documents':['lease']}"), "done");
    forget(report);
}

static void a_failure_can_be_taken_up_again(void **state)
{
    json_t *report, *failed;

    add_leases();
    script.take_status = DEN_NOT_FOUND;
    report = make("{'kind':'summary','documents':['lease']}");
    failed = wait_for_end(report);
    assert_string_equal(text_at(failed, "error"), "there is no such model");
    forget(failed);
    pthread_mutex_lock(&script.lock);
    script.take_status = DEN_OK;
    pthread_mutex_unlock(&script.lock);
    change(report, "{'state':'running'}");
    report = wait_for_state(report, "done");
    assert_string_equal(text_at(report, "error"), "null");
    forget(report);
}

static void the_jobs_of_files_leave_reports_alone(void **state)
{
    struct den_connection *connection;
    struct den_jobs *jobs;
    json_t *report, *list = NULL;

    add_leases();
    allow(0);
    report = make("{'kind':'summary','documents':['lease']}");
    wait_until_asked(1);
    assert_ok(den_jobs_open(database, NULL, &jobs, &err));
    assert_ok(den_database_write(database, &connection, &err));
    assert_ok(den_jobs_settle(connection, &err));
    assert_ok(den_connection_end(connection, &err));
    assert_ok(den_jobs_list(jobs, &list, &err));
    assert_int_equal(json_array_size(json_object_get(list, "jobs")), 0);
    assert_fails(den_jobs_cancel(jobs, text_at(report, "id"), &err), DEN_NOT_FOUND);
    forget(list);
    den_jobs_close(jobs);
    allow(SIZE_MAX);
    report = wait_for_state(report, "done");
    forget(report);
}

/* --- comparisons --- */

static void numbers_that_differ_are_told_first(void **state)
{
    json_t *report, *citation;
    const char *text;
    size_t i;

    add_leases();
    report = wait_for_state(make("{'kind':'comparison','documents':['lease','renewal']}"), "done");
    text = json_string_value(json_object_get(json_object_get(report, "result"), "text"));
    assert_true(strstr(text, "**Numbers and dates that differ**") == text);
    assert_non_null(strstr(text, "lease.txt: \xE2\x80\x9CThe tenant pays a rent of 1200 euros each "
                                 "month.\xE2\x80\x9D [3]; renewal.txt: \xE2\x80\x9CThe tenant pays "
                                 "a rent of 1350 euros each month.\xE2\x80\x9D [4]"));
    assert_non_null(strstr(text, "in March.\xE2\x80\x9D [1]; renewal.txt")); /* the month */
    assert_non_null(strstr(text, "**Only in lease.txt**\n\n- \xE2\x80\x9CThe garden"));
    assert_non_null(strstr(text, "**Only in renewal.txt**\n\n- \xE2\x80\x9CHeating"));
    json_array_foreach(json_object_get(json_object_get(report, "result"), "citations"), i, citation)
    {
        assert_true(json_is_true(json_object_get(citation, "supported")));
    }
    assert_int_equal(i, 6);
    assert_int_equal(count_asked(), 0); /* no model was needed */
    forget(report);
}

/* The model's sentence is kept where both say so, and quotations are shown where it is wrong. */
static void what_the_model_says_of_a_pair_is_checked(void **state)
{
    json_t *report;

    make_workspace("{'id':'w1','name':'House'}");
    add_passages("one", "w1", "The garden of the mill belongs to the tenant.");
    add_passages("two", "w1", "The garden of the mill belongs to the tenant.");
    script.reply = "The garden belongs to the tenant.";
    report = wait_for_state(make("{'kind':'comparison','documents':['one','two']}"), "done");
    assert_non_null(strstr(text_at(report, "result.text"),
                           "**What both say**\n\n- The garden belongs to the tenant. [1] [2]"));
    forget(report);
    script.reply = "The moon is made of cheese from Holland.";
    report = wait_for_state(make("{'kind':'comparison','documents':['one','two']}"), "done");
    assert_null(strstr(text_at(report, "result.text"), "cheese"));
    assert_non_null(strstr(text_at(report, "result.text"), "tenant.\xE2\x80\x9D [1]; two.txt: "));
    forget(report);
}

/* --- tables --- */

static void a_cell_has_its_passage(void **state)
{
    struct den_buffer csv;
    char name[DEN_REPORT_NAME_BYTES];
    json_t *report;

    add_leases();
    add_passages("recipe", "w1", "Flour and water are mixed with a spoon.");
    script.reply = "1200 euros";
    report = wait_for_state(make("{'kind':'table','documents':['lease','renewal','recipe'],"
                                 "'columns':[{'name':'Rent','description':'rent the tenant pays "
                                 "each month'}]}"),
                            "done");
    assert_string_equal(text_at(report, "result.rows.0.cells.0.text"), "1200 euros");
    assert_string_equal(text_at(report, "result.rows.0.cells.0.supported"), "true");
    assert_string_equal(text_at(report, "result.rows.0.cells.0.passage"), "0");
    assert_non_null(strstr(text_at(report, "result.passages.0.text"), "1200 euros"));
    /* the model says the same of the other lease, where it does not stand */
    assert_string_equal(text_at(report, "result.rows.1.cells.0.supported"), "false");
    assert_string_equal(text_at(report, "result.rows.1.name"), "renewal.txt");
    /* and is not asked about the recipe */
    assert_string_equal(text_at(report, "result.rows.2.cells.0.text"), "\xE2\x80\x94");
    assert_string_equal(text_at(report, "result.rows.2.cells.0.passage"), "null");
    assert_int_equal(count_asked(), 2);
    den_buffer_init(&csv, 4096);
    assert_ok(den_report_export(reports, text_at(report, "id"), DEN_REPORT_CSV, &csv, name, &err));
    assert_non_null(strstr(csv.data, "Document,Rent,Sources\r\nlease.txt,1200 euros,Rent: page 7"));
    assert_string_equal(name, "Table-of-3-documents.csv");
    den_buffer_deinit(&csv);
    forget(report);
}

static void a_document_may_go_meanwhile(void **state)
{
    json_t *report;

    add_leases();
    allow(0);
    report = make("{'kind':'table','documents':['lease','renewal'],'columns':[{'name':'Rent',"
                  "'description':'rent the tenant pays each month'}]}");
    wait_until_asked(1);
    remove_document("renewal");
    allow(SIZE_MAX);
    report = wait_for_state(report, "done");
    assert_string_equal(text_at(report, "result.rows.1.name"), "renewal.txt");
    assert_string_equal(text_at(report, "result.rows.1.cells.0.text"), "\xE2\x80\x94");
    forget(report);
    allow(1);
    report = make("{'kind':'summary','documents':['lease']}");
    remove_document("lease");
    allow(SIZE_MAX);
    forget(wait_for_end(report)); /* done or failed: it ends */
    forget(report);
}

/* --- asking --- */

static void refuse(const char *fields, enum den_status status, const char *message)
{
    json_t *given = parse(fields), *report = NULL;

    assert_fails(den_report_create(reports, given, &report, &err), status);
    if (!strstr(err.message, message))
        fail_msg("'%s' is not in '%s'", message, err.message);
    json_decref(given);
}

static void hostile_wishes_are_refused(void **state)
{
    json_t *many = parse("{'kind':'table','documents':['lease'],'columns':[]}"), *report = NULL;
    size_t i;

    add_leases();
    add_passages("empty", "w1", "");
    refuse("{}", DEN_INVALID, "'kind'");
    refuse("{'kind':'poem','documents':['lease']}", DEN_INVALID, "'kind'");
    refuse("{'kind':'summary'}", DEN_INVALID, "'documents' or 'workspace'");
    refuse("{'kind':'summary','documents':[]}", DEN_INVALID, "'documents'");
    refuse("{'kind':'summary','documents':'lease'}", DEN_INVALID, "'documents'");
    refuse("{'kind':'summary','documents':[7]}", DEN_INVALID, "'documents[0]'");
    refuse("{'kind':'summary','documents':['lease','gone']}", DEN_NOT_FOUND, "'documents[1]'");
    refuse("{'kind':'summary','documents':['lease','lease']}", DEN_INVALID, "twice");
    refuse("{'kind':'summary','workspace':'w9'}", DEN_NOT_FOUND, "'workspace'");
    refuse("{'kind':'comparison','documents':['lease']}", DEN_INVALID, "two documents");
    refuse("{'kind':'table','documents':['lease']}", DEN_INVALID, "'columns'");
    refuse("{'kind':'summary','documents':['lease'],'columns':[{'name':'A'}]}", DEN_INVALID,
           "'columns'");
    refuse("{'kind':'table','documents':['lease'],'columns':[{'name':' '}]}", DEN_INVALID,
           "'columns[0].name'");
    refuse("{'kind':'table','documents':['lease'],'columns':['A']}", DEN_INVALID, "'columns[0]'");
    for (i = 0; i < 200; i++)
        json_array_append_new(json_object_get(many, "columns"), parse("{'name':'A'}"));
    assert_fails(den_report_create(reports, many, &report, &err), DEN_INVALID);
    assert_non_null(strstr(err.message, "200"));
    json_decref(many);
    assert_int_equal(count_rows("SELECT count(*) FROM jobs"), 0);
}

static void reports_are_listed_and_renamed(void **state)
{
    const struct den_report_list two = { .limit = 2 };
    struct den_report_list rest = { 0 }, of_workspace = { .workspace = "w1" };
    json_t *report[3], *list = NULL, *changed = NULL, *bad;
    size_t i;

    add_leases();
    report[0] = wait_for_state(make("{'kind':'summary','workspace':'w1'}"), "done");
    for (i = 1; i < 3; i++)
        report[i] = wait_for_state(make("{'kind':'summary','documents':['lease']}"), "done");
    assert_ok(den_reports_list(reports, &two, &list, &err));
    assert_string_equal(text_at(list, "reports.0.title"), "Summary of lease.txt");
    assert_int_equal(json_array_size(json_object_get(list, "reports")), 2);
    assert_null(json_object_get(json_array_get(json_object_get(list, "reports"), 0), "result"));
    rest.before = json_string_value(json_object_get(list, "next"));
    json_incref(list);
    bad = list;
    assert_ok(den_reports_list(reports, &rest, &list, &err));
    assert_int_equal(json_array_size(json_object_get(list, "reports")), 1);
    assert_string_equal(text_at(list, "next"), "null");
    json_decref(bad);
    json_decref(bad);
    json_decref(list);
    assert_ok(den_reports_list(reports, &of_workspace, &list, &err));
    assert_int_equal(json_array_size(json_object_get(list, "reports")), 1);
    json_decref(list);
    change(report[0], "{'title':'All of it'}");
    list = get(text_at(report[0], "id"));
    assert_string_equal(text_at(list, "title"), "All of it");
    json_decref(list);
    bad = parse("{'state':'paused'}");
    assert_fails(den_report_change(reports, text_at(report[0], "id"), bad, &changed, &err),
                 DEN_IN_USE);
    json_decref(bad);
    for (i = 0; i < 3; i++)
        forget(report[i]);
}

static void documents_go_by_name(void **state)
{
    json_t *id = NULL;

    add_leases();
    assert_ok(den_report_document(reports, "lease", &id, &err));
    json_decref(id);
    assert_ok(den_report_document(reports, "renewal.txt", &id, &err));
    assert_string_equal(json_string_value(id), "renewal");
    json_decref(id);
    assert_fails(den_report_document(reports, "newal.txt", &id, &err), DEN_NOT_FOUND);
}

int desk_test_reports(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_reports, close_reports)
    const struct CMUnitTest tests[] = {
        T(a_summary_stands_on_passages),
        T(a_workspace_is_summarised_document_by_document),
        T(a_long_document_is_cut_and_joined),
        T(a_restart_goes_on_where_it_was),
        T(a_pause_ends_what_is_asked),
        T(what_is_removed_is_gone),
        T(a_failure_can_be_taken_up_again),
        T(the_jobs_of_files_leave_reports_alone),
        T(numbers_that_differ_are_told_first),
        T(what_the_model_says_of_a_pair_is_checked),
        T(a_cell_has_its_passage),
        T(a_document_may_go_meanwhile),
        T(hostile_wishes_are_refused),
        T(reports_are_listed_and_renamed),
        T(documents_go_by_name),
    };

    return cmocka_run_group_tests_name("desk/reports", tests, NULL, NULL);
}
