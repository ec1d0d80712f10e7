/* The inside of a grounding, shared by grounding.c and grounding_prompt.c. */
#ifndef DEN_DESK_GROUNDING_PARTS_H
#define DEN_DESK_GROUNDING_PARTS_H

#include "desk/grounding.h"

enum { DEN_GROUNDING_PINNED_MAX = 500 }; /* pages: no context holds more */

struct den_grounding {
    struct den_retrieval *retrieval;
    struct den_retrieval_settings settings;
    bool is_chinese; /* the question */
    bool is_small;   /* the model */
    bool is_tiny;    /* the model, so that its first sentences are its best */
    struct den_passage *pinned;
    size_t pinned_count;
    struct den_found found;
    json_t *passages;  /* that are in the prompt */
    json_t *citations; /* of the answer, once it is there */
};

#endif
