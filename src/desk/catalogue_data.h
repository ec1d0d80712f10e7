/* The bytes of models/catalogue.json; cmake/catalogue.cmake generates the definition. */
#ifndef DEN_DESK_CATALOGUE_DATA_H
#define DEN_DESK_CATALOGUE_DATA_H

#include <stddef.h>

extern const unsigned char den_catalogue_data[];
extern const size_t den_catalogue_bytes;

#endif
