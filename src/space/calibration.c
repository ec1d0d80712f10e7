/* Calibration: what the cosines of an embedder mean.
 *
 * Confidence was fitted on the cosines of all-MiniLM-L6-v2. Other models squeeze all texts into a
 * corner of their space, so that a question is at 0.7 from everything, or spread them wider; their
 * cosines would be believed always or never. Two numbers say most of it: how near a question comes
 * to the nearest of many sentences that do not answer it, and how near to the one that does. They
 * are measured once with the pairs below, and a search's highest cosine is brought to MiniLM's
 * scale by the straight line through the two (confidence.c).
 *
 * The pairs are fixed and everyday rather than the user's own passages, whose random pairs would be
 * nearer at hand: in a library on one matter those are near each other with any model, and what was
 * measured would be the library. Chance moves the result little: with any four of the pairs left
 * out MiniLM's two numbers change by 0.008 (standard deviation), 0.03 at most. */
#include "space/search_parts.h"

#include <math.h>

#include "store/database.h"
#include "store/query.h"

/* MiniLM's own: the scale that the coefficients of confidence.c are for. */
#define UNRELATED_HOME 0.206
#define RELATED_HOME   0.51

/* Nearer to each other than this the two say nothing, and the model can't tell. */
#define APART_MIN 0.02

const char *const den_space_probes[DEN_SPACE_PROBES] = {
    "How long does a soft-boiled egg take?",
    "Put the egg into boiling water for six minutes if you like the yolk runny.",
    "When does the library close on Saturdays?",
    "The reading rooms are open until four in the afternoon at weekends, and until eight on "
    "weekdays.",
    "Why do leaves turn red in autumn?",
    "As the green pigment breaks down in the cold, other dyes that were hidden in the leaf show.",
    "What is the deposit for renting the hall?",
    "Whoever hires the community hall pays 150 in advance, which is returned when it is left "
    "clean.",
    "How do I reset the router?",
    "Hold the small button on the back of the modem for ten seconds until its lights blink.",
    "Who painted the ceiling of the chapel?",
    "The frescoes above the altar are the work of an Italian master, who took four years.",
    "Which vaccines does a puppy need?",
    "Young dogs get their first shots against distemper and parvovirus at eight weeks.",
    "How far is the moon?",
    "Our satellite circles the Earth at a distance of some 384,000 kilometres.",
    "What happens if I cancel my subscription early?",
    "Members who leave before the end of the year do not get the rest of their fee back.",
    "Where was the bicycle invented?",
    "A German forester built the first two-wheeled running machine in Mannheim.",
    "How much salt goes into the dough?",
    "For a kilo of flour take twenty grams of salt, a little yeast and lukewarm water.",
    "Is smoking allowed on the balcony?",
    "Tenants may smoke outside their flat as long as the neighbours are not disturbed.",
    "How can I lower my blood pressure?",
    "Less salt, daily walks and losing weight bring hypertension down without any pills.",
    "When is the tax return due?",
    "Citizens hand in their income declaration by the end of July.",
    "What causes earthquakes?",
    "Where plates of the crust grind against each other, the tension is released in shocks.",
    "Does the washing machine have a warranty?",
    "The maker repairs faults of the appliance for two years from the day of purchase.",
    "How many players are in a volleyball team?",
    "Six people of each side stand on the court, and they rotate after winning the serve.",
    "Why did the company lose money last year?",
    "The quarterly report blames higher energy prices and a strike for the deficit.",
    "What should I pack for the hike?",
    "Bring rain clothes, sturdy boots, a map and enough water for six hours in the mountains.",
    "Who inherits the farm?",
    "In her will the grandmother leaves land and buildings to the elder of her two nephews.",
    "How does a heat pump work?",
    "It takes warmth from the outside air, compresses it and hands it to the radiators.",
    "What time does the train to the airport leave?",
    "Departures toward the terminal are at ten past and twenty to every hour from platform two.",
    "How do bees find flowers?",
    "A worker that has found nectar dances in the hive to show the others the direction.",
    "Which language should I learn first to program?",
    "Beginners get on well with Python, since its code reads nearly like English.",
};

static double cosine(const float *a, const float *b, size_t width)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < width; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The two means over all questions. */
static void measure(const float *vectors, size_t width, double *unrelated, double *related)
{
    enum { PAIRS = DEN_SPACE_PROBES / 2 };
    size_t i, j;

    *unrelated = *related = 0;
    for (i = 0; i < PAIRS; i++) {
        const float *question = vectors + 2 * i * width;
        double nearest = -1;

        for (j = 0; j < PAIRS; j++)
            if (j != i)
                nearest = fmax(nearest, cosine(question, vectors + (2 * j + 1) * width, width));
        *unrelated += nearest / PAIRS;
        *related += cosine(question, question + width, width) / PAIRS;
    }
}

enum den_status den_space_calibrate(struct den_space *space,
                                    const struct den_space_embedder *embedder, const float *vectors,
                                    struct den_error *err)
{
    struct den_connection *connection;
    double unrelated, related;

    measure(vectors, embedder->width, &unrelated, &related);
    if (!isfinite(unrelated) || !isfinite(related))
        return den_fail(err, DEN_INVALID, "space: the vectors of '%s' are not finite",
                        embedder->name);
    if (den_database_write(space->database, &connection, err) != DEN_OK)
        return err->status;
    den_execute(connection, err, "UPDATE embedders SET unrelated = ?, related = ? WHERE row = ?",
                "rri", unrelated, related, embedder->row);
    return den_connection_end(connection, err);
}

double den_search_cosine_home(const struct den_search *search, double cosine)
{
    const double apart = search->related - search->unrelated;

    if (search->related == 0 && search->unrelated == 0)
        return cosine;
    if (apart < APART_MIN)
        return UNRELATED_HOME;
    return UNRELATED_HOME + (cosine - search->unrelated) * (RELATED_HOME - UNRELATED_HOME) / apart;
}
