/* Formats of JSON Schema as patterns (see grammar_regex.h). Each is a subset of what its standard
 * allows that is easy to hold a model to and that every validator takes: no leap seconds, host
 * names of bounded length, no quoted mail addresses, "://" in every URI. Formats that are not in
 * the table are no constraint, as the standard has it ("int32", "password" ...). */
#include <string.h>

#include "text/grammar_regex.h"

#define MONTH_DAY                                                                                  \
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"                \
    "02-(0[1-9]|1[0-9]|2[0-8]))"
#define YEAR      "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
#define LEAP_YEAR "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
#define DATE      "(" YEAR "-" MONTH_DAY "|" LEAP_YEAR "-02-29)"
#define HOURS     "([01][0-9]|2[0-3])"
#define TIME      HOURS ":[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]" HOURS ":[0-5][0-9])"
#define LABEL     "[A-Za-z0-9]([A-Za-z0-9-]{0,29}[A-Za-z0-9])?"
#define TOP       "[A-Za-z][A-Za-z]{1,29}"
#define HOST      "(" LABEL "\\.){0,3}" TOP
#define BYTE      "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define IPV4      BYTE "(\\." BYTE "){3}"
#define H16       "[0-9A-Fa-f]{1,4}"
#define URI                                                                                        \
    "[a-z][a-z0-9+.-]{0,15}://" HOST "(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~!$&'()*+,;=:@-]*)*"        \
    "(\\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?"
#define POINTER "(/([^/~]|~[01])*)*"

static const struct {
    const char *name, *pattern;
} formats[] = {
    { "date", "^" DATE "$" },
    { "time", "^" TIME "$" },
    { "date-time", "^" DATE "T" TIME "$" },
    { "duration",
      "^P([0-9]{1,4}W|([0-9]{1,4}Y([0-9]{1,4}M([0-9]{1,4}D)?)?|[0-9]{1,4}M([0-9]{1,4}D)?|"
      "[0-9]{1,4}D)(T([0-9]{1,4}H([0-9]{1,4}M([0-9]{1,4}S)?)?|[0-9]{1,4}M([0-9]{1,4}S)?|"
      "[0-9]{1,4}S))?|T([0-9]{1,4}H([0-9]{1,4}M([0-9]{1,4}S)?)?|[0-9]{1,4}M([0-9]{1,4}S)?|"
      "[0-9]{1,4}S))$" },
    { "uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" },
    { "email", "^[A-Za-z0-9_+-]{1,20}(\\.[A-Za-z0-9_+-]{1,20}){0,2}@" HOST "$" },
    { "idn-email", "^[A-Za-z0-9_+-]{1,20}(\\.[A-Za-z0-9_+-]{1,20}){0,2}@" HOST "$" },
    { "hostname", "^" HOST "$" },
    { "idn-hostname", "^" HOST "$" },
    { "ipv4", "^" IPV4 "$" },
    { "ipv6", "^((" H16 ":){7}" H16 "|(" H16 ":){1,6}:" H16 "|::(" H16 ":){0,5}" H16 "|(" H16
              ":){1,7}:|::)$" },
    { "uri", "^" URI "$" },
    { "uri-reference", "^" URI "$" },
    { "iri", "^" URI "$" },
    { "iri-reference", "^" URI "$" },
    { "uri-template", "^" URI "$" },
    { "json-pointer", "^" POINTER "$" },
    { "relative-json-pointer", "^(0|[1-9][0-9]{0,2})(#|" POINTER ")$" },
    { "regex", "^[A-Za-z0-9 _:,-]*$" },
};

struct den_automaton *den_automaton_format(struct den_grammar_builder *builder, const char *format)
{
    size_t i;

    for (i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, format) == 0)
            return den_automaton_pattern(builder, formats[i].pattern, strlen(formats[i].pattern));
    return NULL;
}
