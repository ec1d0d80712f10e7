/* Constraint parts: a vocabulary as tries of bytes, and the sets of readings that a constraint
 * walks through them with. */
#ifndef DEN_TEXT_CONSTRAINT_PARTS_H
#define DEN_TEXT_CONSTRAINT_PARTS_H

#include "text/constraint.h"
#include "text/grammar_parts.h"

/* --- vocabulary --- */

/* A trie in preorder: a node's children follow it, `end` is the next node that is not below it. */
struct den_token_node {
    uint32_t end;
    den_token token; /* that ends here, or DEN_TOKEN_NONE */
    uint8_t byte;
    uint8_t depth; /* 1 for the first byte */
};

struct den_token_trie {
    struct den_token_node *nodes;
    size_t count, capacity;
};

/* A set of kinds of plain characters: each ASCII character is one; others go by their lead byte and
 * have numbers below DEN_KINDS_WIDE, those of control characters, which are not plain. */
struct den_kinds {
    uint64_t bits[2];
};
enum { DEN_KINDS_WIDE = 30, DEN_KIND_ANY_WIDE = 31, DEN_KINDS = 128 };

/* What comes below a node of the plain trie: kinds of the characters that begin there, and how many
 * at most in one token. */
struct den_token_below {
    struct den_kinds kinds;
    uint32_t characters;
};

/* The tokens of each kind, as a list or, where there are many, as a mask. */
struct den_kind_tokens {
    uint32_t firsts[DEN_KINDS + 1]; /* where in `items` the kind's tokens begin, ... */
    bool dense[DEN_KINDS];          /* ... or its mask */
    uint32_t *items;
};

enum {
    DEN_TOKEN_TRIE_BYTES_MAX = 255, /* longer tokens never match a grammar; none is known */
    DEN_TOKEN_PLAIN_MAX = 32        /* characters for which there are masks by length */
};

/* Plain tokens are whole characters that a JSON string holds as they are. They are most of any
 * vocabulary, and a string takes all of them that are not too long, so for them there are masks
 * made in advance: [n] has the tokens of up to n characters, the last one all of them. */
struct den_grammar_vocabulary {
    size_t size, words;           /* tokens; words of a mask */
    struct den_token_text *texts; /* (size); of control tokens their names; "" for end tokens */
    struct den_token_trie plain, other, control;
    struct den_token_below *below;        /* (plain.count) */
    struct den_kind_tokens begins, holds; /* of plain tokens, by their first, by any character */
    den_token *twins; /* (size): another token of the same text, or DEN_TOKEN_NONE */
    uint32_t *plain_masks[DEN_TOKEN_PLAIN_MAX + 2];
    den_token *long_plain;  /* of more than DEN_TOKEN_PLAIN_MAX characters, ... */
    uint32_t *long_lengths; /* ... and how many */
    size_t long_count;
    uint32_t *end_mask;
    uint8_t *kinds; /* (size), enum den_token_role */
    bool has_end;
};

enum den_token_role { DEN_ROLE_TEXT, DEN_ROLE_CONTROL, DEN_ROLE_END };

/* What den_grammar_vocabulary_create() asks a tokenizer for. Texts are kept by pointer. */
struct den_token_list {
    size_t count;
    void (*get)(const void *context, den_token token, struct den_token_text *out_text,
                enum den_token_role *out_role);
    const void *context;
};
enum den_status den_grammar_vocabulary_create_core(const struct den_token_list *list,
                                                   struct den_grammar_vocabulary **out,
                                                   struct den_error *err);

static inline void den_mask_set(uint32_t *mask, den_token token)
{
    mask[token >> 5] |= 1u << (token & 31);
}

static inline bool den_mask_has(const uint32_t *mask, den_token token)
{
    return mask[token >> 5] >> (token & 31) & 1;
}

/* The kind of the character that begins with the plain byte. */
uint8_t den_kind_of(uint8_t byte);

bool den_kinds_have(const struct den_kinds *kinds, uint8_t kind);
void den_kinds_add(struct den_kinds *kinds, uint8_t kind);
bool den_kinds_within(const struct den_kinds *kinds, const struct den_kinds *all);

/* --- sets of readings --- */

/* A reading of the text so far: the BYTES node it is at (or END, with an empty stack: the text is
 * whole), and the calls and repeats it is inside of. */
struct den_reading {
    uint32_t node;
    uint32_t frame; /* 0: none */
};

struct den_frame {
    uint32_t node;  /* the CALL or REPEAT to return to */
    uint32_t count; /* REPEAT: times gone through, this one included; stops at what matters */
    uint32_t parent;
    uint32_t depth;
};

struct den_reading_set {
    uint32_t first, count; /* readings, sorted */
    uint64_t hash;
    bool ends; /* one of them is END */
};

/* Which plain tokens a set takes without a look at each: those of up to `characters`, the first of
 * a kind in `first` and the others of kinds in `rest`. */
struct den_run {
    bool led, made; /* `lead` and `target` are known; so is the rest */
    bool only;      /* it takes no other plain tokens */
    uint32_t target;
    struct den_kinds lead; /* each character of these leads to `target` */
    struct den_kinds first, rest;
    uint32_t characters; /* 0: none; DEN_GRAMMAR_FOREVER: any number */
};

#define DEN_SET_NONE    0u
#define DEN_SET_UNKNOWN UINT32_MAX

struct den_hash_table {
    uint32_t *items; /* index + 1; 0: free */
    size_t capacity; /* a power of two */
};

/* All is interned: the same frame, the same set, has the same number, so that a step from a set by
 * a class of bytes is computed once and then looked up. */
struct den_sets {
    const struct den_grammar *grammar;
    struct den_frame *frames;
    struct den_reading *readings;
    struct den_reading_set *sets;
    uint32_t *steps;      /* (sets, classes); DEN_SET_UNKNOWN: not yet computed */
    struct den_run *runs; /* (sets) */
    size_t frame_count, reading_count, set_count;
    size_t frame_capacity, reading_capacity, set_capacity;
    struct den_hash_table frame_table, set_table;

    struct den_reading *found; /* the set being made */
    size_t found_count;
    struct den_reading *work, *seen; /* what is still to follow; what has been followed */
    size_t work_count, seen_count;
    struct den_hash_table seen_table;
    uint64_t effort; /* readings followed; the budget of one mask */
    uint64_t effort_max;
    bool out_of_memory;
};

enum den_status den_sets_init(struct den_sets *sets, const struct den_grammar *grammar,
                              struct den_error *err);
void den_sets_deinit(struct den_sets *sets);
uint32_t den_sets_start(struct den_sets *sets); /* before the first byte */
uint32_t den_sets_compute(struct den_sets *sets, uint32_t set, uint8_t byte);
/* As a step, by edges of literals only. */
uint32_t den_sets_step_literal(struct den_sets *sets, uint32_t set, uint8_t byte);
/* True when it is time for den_sets_restart(), which forgets all but `set` and returns its new
 * number. */
bool den_sets_full(const struct den_sets *sets);
uint32_t den_sets_restart(struct den_sets *sets, uint32_t set);

static inline uint32_t den_sets_step(struct den_sets *sets, uint32_t set, uint8_t byte)
{
    uint32_t next =
        sets->steps[(size_t)set * sets->grammar->class_count + sets->grammar->classes[byte]];

    return next != DEN_SET_UNKNOWN ? next : den_sets_compute(sets, set, byte);
}

/* The set's run, computed when it is first asked for. */
struct den_run den_sets_run(struct den_sets *sets, uint32_t set);

/* --- masks --- */

/* Adds to `mask` the tokens that can follow `set`; end tokens are the caller's. */
void den_sets_mask(struct den_sets *sets, uint32_t set,
                   const struct den_grammar_vocabulary *vocabulary, uint32_t *mask);
/* The set after a whole token, or DEN_SET_NONE. */
uint32_t den_sets_accept(struct den_sets *sets, uint32_t set, struct den_token_text text,
                         bool control);

#endif
