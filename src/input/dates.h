/* Dates as documents write them. */
#ifndef DEN_INPUT_DATES_H
#define DEN_INPUT_DATES_H

#include <stddef.h>
#include <stdint.h>

enum { DEN_DATE_BYTES = 48 };

/* "2024-03-01T10:00:00Z", "2024-03-01" or "Fri, 1 Mar 2024 10:00:00 +0100" as Unix milliseconds; 0
 * where it is none of them. */
int64_t den_date_milliseconds(const char *text);

/* A spreadsheet's day number as "2024-03-01", with a time where it has one ("2024-03-01 10:00:00"),
 * or the time alone below 1. `from_1904`: the days are counted from 1904-01-01. */
void den_date_of_serial(double serial, int from_1904, char out[DEN_DATE_BYTES]);

#endif
