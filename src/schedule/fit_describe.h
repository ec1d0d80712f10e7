/* Describing: the shape of a model that is open, as fit.h reads it. The worker tells it to the
 * front, which parses no model file. */
#ifndef DEN_SCHEDULE_FIT_DESCRIBE_H
#define DEN_SCHEDULE_FIT_DESCRIBE_H

#include <jansson.h>

#include "model/bert_description.h"
#include "model/description.h"

json_t *den_fit_describe_decoder(const struct den_description *description,
                                 const struct den_weights *weights);
json_t *den_fit_describe_encoder(const struct den_bert_description *description,
                                 const struct den_weights *weights);

#endif
