/* The methods of texts. */
#ifndef DEN_TEXT_JINJA_METHODS_TEXT_H
#define DEN_TEXT_JINJA_METHODS_TEXT_H

#include "text/jinja_call.h"

const struct den_jinja_builtin *den_jinja_text_method_find(const struct den_jinja_text *name);

#endif
