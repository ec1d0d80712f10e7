/* See pretokenizer_regex.h. The translation is in pretokenizer_translate.c. */
#include "text/pretokenizer_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"

enum {
    JIT_STACK_BYTES_MIN = 64 << 10,
    JIT_STACK_BYTES_MAX = 64 << 20 /* address space only; a group repeated over 1 MB needs 32 MB */
};

struct den_regex {
    pcre2_code *code;
    bool jit;
};

struct den_regex_work {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* made when a match first needs more than the machine's own 32 KiB */
};

void den_regex_destroy(struct den_regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

enum den_status den_regex_create(const char *pattern, size_t length, struct den_regex **out,
                                 struct den_error *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
    struct den_regex *regex = calloc(1, sizeof *regex);
    struct den_buffer translated;
    PCRE2_UCHAR why[128];
    PCRE2_SIZE offset;
    int code;

    den_buffer_init(&translated, 16 * DEN_REGEX_BYTES_MAX);
    if (!regex) {
        den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for a regular expression");
        goto fail;
    }
    if (den_regex_translate(pattern, length, &translated, err) != DEN_OK)
        goto fail;
    regex->code = pcre2_compile((PCRE2_SPTR)translated.data, translated.length, options, &code,
                                &offset, NULL);
    if (!regex->code) {
        pcre2_get_error_message(code, why, sizeof why);
        den_fail(err, DEN_BAD_FILE, "tokenizer: regular expression '%.200s': %s at byte %zu",
                 translated.data, (const char *)why, (size_t)offset);
        goto fail;
    }
    regex->jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    den_buffer_deinit(&translated);
    *out = regex;
    return DEN_OK;
fail:
    den_buffer_deinit(&translated);
    den_regex_destroy(regex);
    return err->status;
}

struct den_regex_work *den_regex_work_create(void)
{
    struct den_regex_work *work = calloc(1, sizeof *work);

    if (!work)
        return NULL;
    work->data = pcre2_match_data_create(1, NULL); /* only the whole match is asked for */
    work->context = pcre2_match_context_create(NULL);
    if (!work->data || !work->context) {
        den_regex_work_destroy(work);
        return NULL;
    }
    pcre2_set_match_limit(work->context, DEN_REGEX_STEPS_MAX);
    pcre2_set_heap_limit(work->context, DEN_REGEX_HEAP_KIB_MAX);
    return work;
}

void den_regex_work_destroy(struct den_regex_work *work)
{
    if (!work)
        return;
    pcre2_match_data_free(work->data);
    pcre2_match_context_free(work->context);
    pcre2_jit_stack_free(work->stack);
    free(work);
}

enum den_status den_regex_find(const struct den_regex *regex, struct den_regex_work *work,
                               struct den_token_text text, size_t start,
                               struct den_regex_match *out, struct den_error *err)
{
    uint32_t options = PCRE2_NO_UTF_CHECK; /* the caller splits around ill-formed bytes */
    PCRE2_SPTR subject = (PCRE2_SPTR)text.bytes;
    int found =
        pcre2_match(regex->code, subject, text.length, start, options, work->data, work->context);

    if (found == PCRE2_ERROR_JIT_STACKLIMIT && !work->stack) {
        work->stack = pcre2_jit_stack_create(JIT_STACK_BYTES_MIN, JIT_STACK_BYTES_MAX, NULL);
        if (!work->stack)
            return den_fail(err, DEN_NO_MEMORY, "tokenizer: out of memory for a match");
        pcre2_jit_stack_assign(work->context, NULL, work->stack);
        found = pcre2_match(regex->code, subject, text.length, start, options, work->data,
                            work->context);
    }
    *out = (struct den_regex_match){ SIZE_MAX, SIZE_MAX };
    if (found == PCRE2_ERROR_NOMATCH)
        return DEN_OK;
    if (found < 0)
        return den_fail(err, DEN_TOO_LARGE,
                        "tokenizer: the model's regular expression takes too long at byte %zu of a "
                        "text of %zu bytes (PCRE2 error %d)",
                        start, text.length, found);
    out->start = pcre2_get_ovector_pointer(work->data)[0];
    out->end = pcre2_get_ovector_pointer(work->data)[1];
    return DEN_OK;
}
