/* See dates.h. */
#include "input/dates.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECONDS_A_DAY = 86400 };

/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t era, of_era, of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    of_era = year - era * 400;
    of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t era, of_era, year_of_era, of_year, shifted;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    of_era = days - era * 146097;
    year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int64_t milliseconds(int year, int month, int day, int seconds, int zone_minutes)
{
    if (year < 1900 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    return (days_from_civil(year, month, day) * SECONDS_A_DAY + seconds -
            (int64_t)zone_minutes * 60) *
           1000;
}

/* "Z", "+01:00", "-0500" as minutes. */
static int zone_of(const char *text)
{
    int hours = 0, minutes = 0;

    while (*text == ' ' || *text == '.' || isdigit((unsigned char)*text))
        text++;
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d%*[:]%2d", &hours, &minutes) == 0)
        return 0;
    if (!strchr(text, ':'))
        sscanf(text + 1, "%2d%2d", &hours, &minutes);
    return (*text == '-' ? -1 : 1) * (hours * 60 + minutes);
}

static int month_of(const char *name)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    int i;

    for (i = 0; i < 12; i++)
        if (strncasecmp(months + 3 * i, name, 3) == 0)
            return i + 1;
    return 0;
}

int64_t den_date_milliseconds(const char *text)
{
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
    char name[4];
    const char *comma;

    while (*text == ' ')
        text++;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3) {
        const char *rest = text + used;
        int time = 0;

        if ((*rest == 'T' || *rest == ' ') &&
            sscanf(rest + 1, "%2d:%2d:%2d%n", &hour, &minute, &second, &time) >= 2 && time > 0)
            rest += 1 + time;
        return milliseconds(year, month, day, hour * 3600 + minute * 60 + second, zone_of(rest));
    }
    comma = strchr(text, ',');
    if (comma)
        text = comma + 1;
    if (sscanf(text, " %2d %3s %4d %2d:%2d%n", &day, name, &year, &hour, &minute, &used) < 5)
        return 0;
    text += used;
    if (*text == ':' && sscanf(text, ":%2d%n", &second, &used) == 1)
        text += used;
    month = month_of(name);
    return milliseconds(year, month, day, hour * 3600 + minute * 60 + second, zone_of(text));
}

void den_date_of_serial(double serial, int from_1904, char out[DEN_DATE_BYTES])
{
    static const int64_t first_1900 = -25569, first_1904 = -24107; /* days before 1970 */
    int64_t whole, year;
    int month, day, seconds;
    bool time_only = serial < 1;

    if (!(serial >= 0 && serial < 2958466)) { /* the year 10000 */
        snprintf(out, DEN_DATE_BYTES, "%.15g", serial);
        return;
    }
    whole = (int64_t)floor(serial);
    seconds = (int)lround((serial - floor(serial)) * SECONDS_A_DAY);
    if (seconds >= SECONDS_A_DAY) {
        seconds -= SECONDS_A_DAY;
        whole++;
    }
    if (!from_1904 && whole < 60)
        whole++; /* Excel's calendar has a 29 February 1900 */
    civil_from_days(whole + (from_1904 ? first_1904 : first_1900), &year, &month, &day);
    if (time_only)
        snprintf(out, DEN_DATE_BYTES, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    else if (seconds == 0)
        snprintf(out, DEN_DATE_BYTES, "%04d-%02d-%02d", (int)(year % 10000), month, day);
    else
        snprintf(out, DEN_DATE_BYTES, "%04d-%02d-%02d %02d:%02d:%02d", (int)(year % 10000), month,
                 day, seconds / 3600, seconds / 60 % 60, seconds % 60);
}
