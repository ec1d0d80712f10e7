/* Pre-tokenizer: cuts normalized text into the words that a model encodes one by one.
 *
 * A list of steps. A splitting step cuts every word of the step before by a pattern, and says what
 * becomes of the matches; a rewriting step (Metaspace, the byte alphabet) makes new text. Words are
 * ranges of bytes, and no step copies text but the rewriting ones. A pattern sees one word at a
 * time, as if there were nothing around it. Ill-formed bytes match no pattern: they stay between
 * the matches, and the text around them is matched as if it ended there. */
#ifndef DEN_TEXT_PRETOKENIZER_H
#define DEN_TEXT_PRETOKENIZER_H

#include "text/pretokenizer_regex.h"
#include "text/tokenizer.h"

enum den_split_behavior {
    DEN_SPLIT_REMOVED,
    DEN_SPLIT_ISOLATED,
    DEN_SPLIT_MERGED_WITH_PREVIOUS,
    DEN_SPLIT_MERGED_WITH_NEXT,
    DEN_SPLIT_CONTIGUOUS
};

enum den_pretokenizer_kind {
    DEN_PRETOKENIZER_REGEX,
    DEN_PRETOKENIZER_LITERAL,      /* the bytes `text` */
    DEN_PRETOKENIZER_DIGITS,       /* one character of N* */
    DEN_PRETOKENIZER_PUNCTUATION,  /* one character of P*, or ASCII's */
    DEN_PRETOKENIZER_SPACES,       /* one character of White_Space */
    DEN_PRETOKENIZER_WORDS,        /* \w+ or [^\w\s]+ */
    DEN_PRETOKENIZER_DIGIT_GROUPS, /* threes counted from the right end of a run of digits */
    DEN_PRETOKENIZER_METASPACE,    /* ' ' to `text`, one before, cut before each */
    DEN_PRETOKENIZER_BYTE_PREFIX,  /* a ' ' before words that don't begin with one */
    DEN_PRETOKENIZER_BYTE_ALPHABET /* GPT-2's printable alphabet of bytes */
};

enum den_metaspace_prefix { DEN_METASPACE_NEVER, DEN_METASPACE_FIRST, DEN_METASPACE_ALWAYS };

struct den_pretokenizer_step {
    enum den_pretokenizer_kind kind;
    enum den_split_behavior behavior;
    bool invert;     /* what matches counts as what doesn't, and the reverse */
    bool whole_only; /* DIGIT_GROUPS: leave runs that a letter follows */
    bool split;      /* METASPACE */
    enum den_metaspace_prefix prefix;
    struct den_regex *regex;
    struct den_token_text text;
};

#define DEN_PRETOKENIZER_STEPS_MAX 32 /* real files have at most eight */

struct den_pretokenizer {
    struct den_pretokenizer_step steps[DEN_PRETOKENIZER_STEPS_MAX];
    size_t count;
};

struct den_span {
    uint32_t start;
    uint32_t length;
};

struct den_spans {
    struct den_span *items;
    size_t count;
    size_t capacity;
};

/* The result of a run, and the memory it works in; reused from run to run. */
struct den_words {
    const char *text;
    struct den_spans spans; /* words, in order, none empty */
    struct den_spans spare;
    struct den_buffer buffers[2];
    size_t rewritten; /* how many rewriting steps ran: which buffer is next */
    struct den_regex_work *regex_work;
};

enum den_status den_words_init(struct den_words *words, struct den_error *err);
void den_words_deinit(struct den_words *words);

void den_pretokenizer_deinit(struct den_pretokenizer *pretokenizer);
/* Takes over the step's regex, also on failure; its text must outlive the pre-tokenizer. */
enum den_status den_pretokenizer_add(struct den_pretokenizer *pretokenizer,
                                     struct den_pretokenizer_step step, struct den_error *err);
/* Adds a REGEX step from a pattern. */
enum den_status den_pretokenizer_add_regex(struct den_pretokenizer *pretokenizer,
                                           struct den_token_text pattern,
                                           enum den_split_behavior behavior, bool invert,
                                           struct den_error *err);
/* `first`: the text begins where the whole input does. `text` must live as long as the result. */
enum den_status den_pretokenizer_run(const struct den_pretokenizer *pretokenizer,
                                     struct den_token_text text, bool first,
                                     struct den_words *words, struct den_error *err);

/* GPT-2's pattern, which ByteLevel uses. */
extern const char den_pretokenizer_gpt2[];

/* What GGUF's tokenizer.ggml.pre implies beside the steps. */
struct den_pretokenizer_traits {
    bool ignore_merges;
    bool add_bos;        /* unless the file says otherwise */
    bool nfc;            /* the model's own normalizer, which GGUF doesn't record */
    bool spaces_escaped; /* no byte alphabet: ' ' is U+2581 and bytes are <0xXX> */
};

/* Adds the steps of a GGUF pre-tokenizer. DEN_UNSUPPORTED for a name that isn't known lists those
 * that are. */
enum den_status den_pretokenizer_add_named(struct den_pretokenizer *pretokenizer,
                                           struct den_token_text name,
                                           struct den_pretokenizer_traits *out_traits,
                                           struct den_error *err);

#endif
