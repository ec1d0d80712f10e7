/* Model fits: the fit formula (worker/forecast.h) for the models that Den knows.
 *
 * A shape comes from whoever knows best: what the model's own worker told (remembered in
 * $DEN_HOME/shapes.json), else the catalogue, else no more than the size of the files. */
#ifndef DEN_DESK_MODEL_FITS_H
#define DEN_DESK_MODEL_FITS_H

#include "desk/catalogue.h"
#include "worker/forecast.h"

struct den_model_fits;

/* Looks at the machine, which takes a quarter of a second the first time. */
enum den_status den_model_fits_create(struct den_model_fits **out, struct den_error *err);
void den_model_fits_destroy(struct den_model_fits *fits);

/* What may be changed: the budget, and what Den's own workers hold (added to what is free). */
struct den_fit_machine *den_model_fits_machine(struct den_model_fits *fits);

/* Of a model by that name with files of `bytes`; `shape` is what the catalogue or a worker says, or
 * NULL. */
struct den_fit den_model_fits_of(const struct den_model_fits *fits, const char *name,
                                 uint64_t bytes, const json_t *shape,
                                 const struct den_fit_settings *settings);
/* Remembers what a worker told of the model, and how fast it was (0: not known yet). */
void den_model_fits_learn(struct den_model_fits *fits, const char *name, uint64_t bytes,
                          const json_t *shape, double tokens_per_s);

#endif
