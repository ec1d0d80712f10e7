/* See sampler_select.h. Two orders matter. By likelihood (larger logit first, lower token among
 * equals) for top-k, top-p, min-p and XTC: each of the first three keeps a prefix of it, so a
 * threshold that spares the shortest prefix may run before all of them. By typicality for the
 * stage of that name, which keeps a prefix of its own order and so must see every candidate. */
#include "text/sampler_select.h"

#include <float.h>
#include <math.h>

#include "text/sampler_math.h"

enum { SORT_DIRECTLY_MAX = 32 };

static bool precedes(const struct den_candidate *a, const struct den_candidate *b)
{
    return a->key < b->key || (a->key == b->key && a->token < b->token);
}

static void swap(struct den_candidate *a, struct den_candidate *b)
{
    struct den_candidate t = *a;

    *a = *b;
    *b = t;
}

/* --- a mass-bounded prefix of the order by key --- */

static void sort_few(struct den_candidate *items, size_t count)
{
    size_t i, j;

    for (i = 1; i < count; i++)
        for (j = i; j > 0 && precedes(&items[j], &items[j - 1]); j--)
            swap(&items[j], &items[j - 1]);
}

/* Moves a median of three to its place in the order of items; what precedes it comes before. */
static size_t partition(struct den_candidate *items, size_t count)
{
    size_t last = count - 1, middle = count / 2, place = 0, i;

    if (precedes(&items[middle], &items[0]))
        swap(&items[middle], &items[0]);
    if (precedes(&items[last], &items[0]))
        swap(&items[last], &items[0]);
    if (precedes(&items[middle], &items[last]))
        swap(&items[middle], &items[last]);
    for (i = 0; i < last; i++)
        if (precedes(&items[i], &items[last]))
            swap(&items[i], &items[place++]);
    swap(&items[place], &items[last]);
    return place;
}

/* Reorders `items` so that the first n are the smallest ones by key whose weights, added in that
 * order, reach `wanted`, and n >= at_least; returns n. Expected O(count). */
static size_t keep_mass(struct den_candidate *items, size_t count, double wanted, size_t at_least)
{
    size_t low = 0, high = count; /* n is in (low, high] */
    double mass = 0;              /* of the first `low` */

    while (high - low > SORT_DIRECTLY_MAX) {
        size_t middle = low + partition(items + low, high - low);
        double part = mass;
        size_t i;

        for (i = low; i < middle; i++)
            part += items[i].weight;
        if (middle > low && part >= wanted && middle >= at_least) {
            high = middle;
            continue;
        }
        mass = part + items[middle].weight;
        low = middle + 1;
        if (mass >= wanted && low >= at_least)
            return low;
        if (low == high)
            return high;
    }
    sort_few(items + low, high - low);
    while (low < high) {
        mass += items[low++].weight;
        if (mass >= wanted && low >= at_least)
            break;
    }
    return low;
}

/* --- the dense half --- */

den_token den_select_greedy(const float *logits, size_t padded)
{
    float maximum = den_values_max(logits, padded);
    size_t i;

    if (maximum == -INFINITY)
        return DEN_TOKEN_NONE;
    for (i = 0; logits[i] != maximum; i++)
        continue;
    return (den_token)i;
}

size_t den_select_capacity(const struct den_sampler_options *options, size_t vocabulary)
{
    size_t k = (size_t)options->top_k;

    return k > 0 && k <= DEN_SELECT_HEAP_MAX && k < vocabulary ? k : vocabulary;
}

/* Top-n-sigma (Tang et al., 2024): logits more than n standard deviations below the largest go. */
static float sigma_floor(const float *logits, size_t padded, float maximum, float n)
{
    double sum = 0, squares = 0, mean;
    size_t count = 0, i;

    for (i = 0; i < padded; i++) {
        if (logits[i] == -INFINITY)
            continue;
        sum += logits[i];
        count++;
    }
    mean = sum / (double)count;
    for (i = 0; i < padded; i++)
        if (logits[i] != -INFINITY)
            squares += (logits[i] - mean) * (logits[i] - mean);
    return (float)((double)maximum - (double)n * sqrt(squares / (double)count));
}

/* Restores the heap whose least likely candidate is items[0], after items[at] changed. */
static void sift_down(struct den_candidate *items, size_t count, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= count)
            return;
        if (child + 1 < count && precedes(&items[child], &items[child + 1]))
            child++;
        if (!precedes(&items[at], &items[child]))
            return;
        swap(&items[at], &items[child]);
        at = child;
    }
}

/* The k most likely at or above `floor`, in falling order. Once the heap is full a block is looked
 * at only if its largest logit passes the heap's least: nearly none does. */
static size_t gather_heap(const float *logits, size_t padded, size_t k, float floor,
                          struct den_candidate *items)
{
    size_t count = 0, block, i;

    for (block = 0; block < padded; block += DEN_SELECT_BLOCK) {
        if (!(den_values_max(logits + block, DEN_SELECT_BLOCK) >= floor))
            continue;
        for (i = block; i < block + DEN_SELECT_BLOCK; i++) {
            struct den_candidate one = { .token = (den_token)i,
                                         .logit = logits[i],
                                         .key = -logits[i] };

            if (!(logits[i] >= floor))
                continue;
            if (count < k) {
                items[count++] = one;
                if (count == k)
                    for (size_t at = k / 2 + 1; at-- > 0;)
                        sift_down(items, k, at);
            } else if (precedes(&one, &items[0])) {
                items[0] = one;
                sift_down(items, k, 0);
            }
            if (count == k && items[0].logit > floor)
                floor = items[0].logit;
        }
    }
    for (size_t at = count / 2 + 1; at-- > 0;) /* already a heap unless it stayed short of k */
        sift_down(items, count, at);
    for (i = count; i-- > 1;) {
        swap(&items[0], &items[i]);
        sift_down(items, i, 0);
    }
    return count;
}

/* The highest floor that drops nothing which top-p and min-p together would keep. Tokens with a
 * share under (1 - p) / n weigh less than 1 - p in all: top-p stops before it reaches them. */
static float safe_floor(const struct den_sampler_options *options, float maximum, double total,
                        size_t vocabulary)
{
    float floor = -FLT_MAX;

    if (options->typical_p < 1 || options->min_keep > 1 || options->top_k > 0)
        return floor;
    if (options->min_p > 0)
        floor = maximum + (float)log(options->min_p) - 1e-3f;
    if (options->top_p < 1)
        floor = fmaxf(
            floor, maximum + (float)log((1 - (double)options->top_p) * total / (double)vocabulary) -
                       1e-3f);
    return floor;
}

static void weigh(struct den_candidates *candidates)
{
    size_t i;

    for (i = 0; i < candidates->count; i++) {
        struct den_candidate *item = &candidates->items[i];

        item->weight = den_exp_negative(item->logit - candidates->maximum);
        item->key = -item->logit;
    }
}

static double total_weight(const struct den_candidates *candidates)
{
    double total = 0;
    size_t i;

    for (i = 0; i < candidates->count; i++)
        total += candidates->items[i].weight;
    return total;
}

static size_t gather_all(const float *logits, size_t padded, float floor,
                         struct den_candidate *items)
{
    size_t count = 0, block, i;

    for (block = 0; block < padded; block += DEN_SELECT_BLOCK) {
        if (!(den_values_max(logits + block, DEN_SELECT_BLOCK) >= floor))
            continue;
        for (i = block; i < block + DEN_SELECT_BLOCK; i++)
            if (logits[i] >= floor)
                items[count++] = (struct den_candidate){
                    .token = (den_token)i, .logit = logits[i], .key = -logits[i], .weight = 1
                };
    }
    return count;
}

void den_select_gather(const struct den_sampler_options *options, const float *logits,
                       size_t padded, struct den_candidates *out)
{
    size_t k = (size_t)options->top_k;
    float floor = -FLT_MAX; /* spares all but -INFINITY */

    out->maximum = den_values_max(logits, padded);
    out->total = 0;
    out->count = 0;
    if (out->maximum == -INFINITY)
        return;
    if (options->top_n_sigma >= 0)
        floor = fmaxf(floor, sigma_floor(logits, padded, out->maximum, options->top_n_sigma));
    floor = fminf(floor, out->maximum);
    if (k > 0 && k <= DEN_SELECT_HEAP_MAX) {
        out->count = gather_heap(logits, padded, k, floor, out->items);
    } else {
        if (k == 0 && (options->top_p < 1 || options->min_p > 0)) {
            out->total = den_values_exp_sum(logits, padded, out->maximum, floor);
            floor = fmaxf(floor, safe_floor(options, out->maximum, out->total, padded));
        }
        out->count = gather_all(logits, padded, floor, out->items);
        if (k > 0 && k < out->count)
            out->count = keep_mass(out->items, out->count, (double)k, 0);
    }
    weigh(out);
}

/* --- the sparse half --- */

/* Typical sampling (Meister et al., 2022): tokens whose surprise is closest to the expected one
 * (the entropy) stay, until they hold the share p. */
void den_select_typical(struct den_candidates *candidates, float p, size_t min_keep)
{
    double total = total_weight(candidates), entropy = 0;
    double log_total = log(total);
    size_t i;

    for (i = 0; i < candidates->count; i++) {
        const struct den_candidate *item = &candidates->items[i];
        double surprise = log_total - ((double)item->logit - (double)candidates->maximum);

        if (item->weight > 0)
            entropy += item->weight / total * surprise;
    }
    for (i = 0; i < candidates->count; i++) {
        struct den_candidate *item = &candidates->items[i];
        double surprise = log_total - ((double)item->logit - (double)candidates->maximum);

        item->key = (float)fabs(surprise - entropy);
    }
    candidates->count =
        keep_mass(candidates->items, candidates->count, nextafter(p * total, INFINITY), min_keep);
    candidates->total = 0;
    for (i = 0; i < candidates->count; i++)
        candidates->items[i].key = -candidates->items[i].logit;
}

/* Nucleus sampling (Holtzman et al., 2020). */
void den_select_top_p(struct den_candidates *candidates, float p, size_t min_keep)
{
    double total = candidates->total > 0 ? candidates->total : total_weight(candidates);

    candidates->count = keep_mass(candidates->items, candidates->count, p * total, min_keep);
}

/* Min-p (Nguyen et al., 2024): a share of at least p times that of the most likely. */
void den_select_min_p(struct den_candidates *candidates, float p, size_t min_keep)
{
    struct den_candidate *items = candidates->items;
    size_t kept = 0, i;
    double largest = 0;

    for (i = 0; i < candidates->count; i++)
        largest = items[i].weight > largest ? items[i].weight : largest;
    for (i = 0; i < candidates->count; i++)
        if (items[i].weight >= (double)p * largest)
            swap(&items[i], &items[kept++]);
    if (kept < min_keep) { /* weights of 1 make keep_mass() count */
        for (i = 0; i < candidates->count; i++)
            items[i].weight = 1;
        kept = keep_mass(items, candidates->count, (double)min_keep, 0);
        candidates->count = kept;
        weigh(candidates);
    }
    candidates->count = kept;
}

void den_select_xtc(struct den_candidates *candidates, float threshold, size_t min_keep)
{
    struct den_candidate *items = candidates->items;
    double total = total_weight(candidates);
    size_t viable = 0, last = 0, kept = 0, i;

    for (i = 0; i < candidates->count; i++) {
        if (items[i].weight < threshold * total)
            continue;
        if (viable++ == 0 || precedes(&items[last], &items[i]))
            last = i;
    }
    if (viable < 2 || candidates->count - (viable - 1) < min_keep)
        return;
    swap(&items[0], &items[last]);
    for (i = 0; i < candidates->count; i++)
        if (i == 0 || items[i].weight < threshold * total)
            swap(&items[i], &items[kept++]);
    candidates->count = kept;
}

den_token den_select_draw(struct den_candidates *candidates, float temperature,
                          struct den_random *random)
{
    struct den_candidate *items = candidates->items;
    float maximum = -INFINITY;
    double total = 0, point;
    size_t i;

    for (i = 0; i < candidates->count; i++)
        maximum = fmaxf(maximum, items[i].logit);
    for (i = 0; i < candidates->count; i++) {
        items[i].weight = den_exp_negative((items[i].logit - maximum) / temperature);
        total += items[i].weight;
    }
    point = den_random_uniform(random) * total;
    for (i = 0; i + 1 < candidates->count; i++) {
        point -= items[i].weight;
        if (point < 0)
            break;
    }
    while (items[i].weight == 0 && i > 0) /* rounding may walk past the last that can be drawn */
        i--;
    return items[i].token;
}
