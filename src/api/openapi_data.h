/* The bytes of the OpenAPI description; cmake/openapi.cmake has them made from src/api/openapi/. */
#ifndef DEN_API_OPENAPI_DATA_H
#define DEN_API_OPENAPI_DATA_H

#include <stddef.h>

extern const unsigned char den_openapi_data[];
extern const size_t den_openapi_bytes;

#endif
