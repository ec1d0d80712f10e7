/* Doctor, documents: which programs that read PDF and scans this machine has, what can't be done
 * without those that are missing, and how well they are shut in. */
#ifndef DEN_CLI_DOCTOR_DOCUMENTS_H
#define DEN_CLI_DOCTOR_DOCUMENTS_H

#include <jansson.h>

void den_doctor_documents_print(void);
/* {"tools": [{"name", "package", "installed"}], "languages": ["eng"], "sandbox": {...} or null} */
json_t *den_doctor_documents_json(void);

#endif
