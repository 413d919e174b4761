/* hillock train --find-rate: a learning rate range test, Smith 2017, "Cyclical learning rates for training
 * neural networks", arXiv:1506.01186, section 3.3: a short training whose rate rises shows from where on
 * the loss falls, and from where on it grows. Departures: the rate rises by equal factors, so that no
 * range has to be known before; losses of batches are read instead of accuracies. */
#include "net/find_rate.h"

#include "compare/rate.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double lowest_rate = 1e-6, highest_rate = 10;

static double mean(const double *values, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return sum / n;
}

/* Ends when the loss is above where it began and above four times the lowest so far. */
static int after_batch(const hk_progress *p, void *user)
{
    rate_test *t = user;
    tool_progress_batch(p, NULL);
    t->rates[t->n] = p->rate;
    t->losses[t->n++] = p->batch_loss;
    const int last = t->n - RATE_WINDOW; /* where the window of the last batches begins */
    double lowest = HUGE_VAL;
    for (int i = 0; i < last; i++)
        lowest = fmin(lowest, mean(t->losses + i, RATE_WINDOW));
    const double now = last >= 0 ? mean(t->losses + last, RATE_WINDOW) : 0;
    t->diverged = now > 4 * lowest && now > mean(t->losses, RATE_WINDOW);
    return t->diverged || t->n == RATE_STEPS || tool_progress_interrupted();
}

/* ---- What it says ------------------------------------------------------------------------------ */

/* A tenth of the rate with the lowest loss, in two digits: well before the loss grows, where a whole
 * training still converges. */
static void suggest(rate_test *t)
{
    const double lowest = t->means[t->lowest], rate = t->rates[t->lowest];
    t->suggested = (double)NAN;
    if (!(lowest < 0.95 * t->start)) {
        snprintf(t->verdict, sizeof t->verdict,
                 "No suggestion: at no rate the loss fell by 5 %%, from %.4g", t->start);
    } else if (t->lowest >= t->n - RATE_WINDOW / 2 - 1 && !t->diverged) {
        snprintf(t->verdict, sizeof t->verdict,
                 "No suggestion: the loss was still falling at the highest rate, %g", highest_rate);
    } else {
        char text[32], others[sizeof t->optimizer - sizeof text];
        snprintf(text, sizeof text, "%.1e", rate / 10);
        t->suggested = strtod(text, NULL);
        compare_rate_left_out(t->recipe->optimizer, others, sizeof others);
        snprintf(t->optimizer, sizeof t->optimizer, "%s%clr=%g", others,
                 strchr(others, ':') ? ',' : ':', t->suggested);
        snprintf(t->verdict, sizeof t->verdict,
                 "Suggested rate: %g, a tenth of that with the lowest loss", t->suggested);
    }
}

/* Means over a window around each step, and the steps where they turn. */
static void judge(rate_test *t)
{
    t->falls = t->grows = -1;
    t->lowest = 0;
    t->start = mean(t->losses, t->n < RATE_WINDOW ? t->n : RATE_WINDOW);
    for (int i = 0; i < t->n; i++) {
        const int first = i < RATE_WINDOW / 2 ? 0 : i - RATE_WINDOW / 2;
        const int end = i + RATE_WINDOW / 2 + 1 < t->n ? i + RATE_WINDOW / 2 + 1 : t->n;
        t->means[i] = mean(t->losses + first, end - first);
        if (t->means[i] < t->means[t->lowest])
            t->lowest = i;
    }
    for (int i = t->lowest; i >= 0 && t->means[i] < 0.95 * t->start; i--)
        t->falls = i;
    for (int i = t->n - 1; i > t->lowest; i--)
        if (t->means[i] > t->start)
            t->grows = i;
    suggest(t);
}

static void print(const rate_test *t)
{
    static const double leads[] = {1, 2, 5};
    double next = lowest_rate;
    int row = 0;
    printf("      rate       loss\n");
    for (int i = 0; i < t->n; i++)
        if (t->rates[i] >= next * (1 - 1e-9) || i == t->lowest || i + 1 == t->n) {
            printf("%10.2g %10.4f%s\n", t->rates[i], t->means[i], i == t->lowest ? "  lowest" : "");
            for (; next <= t->rates[i] * (1 + 1e-9); row++)
                next = lowest_rate * leads[(row + 1) % 3] * pow(10, (row + 1) / 3);
        }
    printf("\nloss: %.4f at first", t->start);
    if (t->falls >= 0)
        printf(", lower from %.2g on, lowest at %.2g, %.4f", t->rates[t->falls],
               t->rates[t->lowest], t->means[t->lowest]);
    if (t->grows >= 0 && (t->falls >= 0 || t->diverged))
        printf(", higher from %.2g on", t->rates[t->grows]);
    printf("\n%s\n"
           "It rests on one run with seed %lld: %d batches of %d, means over %d of them.\n",
           t->verdict, (long long)t->given->seed, t->n, t->recipe->batch, RATE_WINDOW);
    if (*t->optimizer)
        printf("use it: --optimizer %s\n", t->optimizer);
}

static json_t *rate_at(const rate_test *t, int step)
{
    return step < 0 ? json_null() : tool_json_number(t->rates[step]);
}

static int print_json(const rate_test *t)
{
    json_t *steps = json_array();
    for (int i = 0; i < t->n; i++)
        json_array_append_new(steps,
                              json_pack("{s:o, s:o, s:o}", "rate", tool_json_number(t->rates[i]),
                                        "loss", tool_json_number(t->losses[i]), "mean",
                                        tool_json_number(t->means[i])));
    return tool_json_print(json_pack(
        "{s:s, s:o, s:s, s:i, s:I, s:i, s:o, s:o, s:o, s:o, s:b, s:o, s:s, s:s, s:o}", "model",
        t->given->operands[0], "data", tool_json_text(hk_data_spec(t->data)), "optimizer",
        t->recipe->optimizer, "batch", t->recipe->batch, "seed", (json_int_t)t->given->seed,
        "window", RATE_WINDOW, "start_loss", tool_json_number(t->start), "falls",
        rate_at(t, t->falls), "lowest", rate_at(t, t->lowest), "grows", rate_at(t, t->grows),
        "diverged", t->diverged, "suggested", tool_json_number(t->suggested), "suggested_optimizer",
        t->optimizer, "verdict", t->verdict, "steps", steps));
}

/* ---- The training ------------------------------------------------------------------------------- */

/* As many epochs as RATE_STEPS batches need; the optimizer's own rate is 1, so that what the schedule
 * multiplies it by is the rate. */
static int sweep(rate_test *t, const network *it, const double *class_weights)
{
    char optimizer[256], schedule[128];
    const int64_t n = hk_data_shape_of(t->data).n;
    const int64_t steps = (n + t->recipe->batch - 1) / t->recipe->batch; /* of an epoch */
    hk_recipe recipe = *t->recipe;
    compare_rate_put(recipe.optimizer, 1, optimizer, sizeof optimizer);
    snprintf(schedule, sizeof schedule, "exponential:from=%g,to=%g,over=%.17g", lowest_rate,
             highest_rate, (RATE_STEPS - 1) / (double)steps);
    recipe.optimizer = optimizer;
    recipe.schedule = schedule;
    recipe.epochs = (int)((RATE_STEPS + steps - 1) / steps);
    hk_train_options how = net_train_options(t->given, &recipe, t->given->seed);
    how.train = t->data;
    how.class_weights = class_weights;
    how.no_probes = 1;
    how.progress = after_batch;
    how.user = t;
    tool_progress_start();
    const hk_status status = hk_fit_with(it->logits, NULL, how);
    tool_progress_clear();
    if (tool_progress_interrupted())
        return tool_fail(EXIT_INTERRUPTED, "train: interrupted");
    if (status == HK_DIVERGED && t->n)
        t->diverged = true;
    else if (status != HK_STOPPED)
        return tool_failed();
    return EXIT_DONE;
}

int net_find_rate(const options *given, const network *it, const hk_recipe *recipe,
                  const hk_data *data, const double *class_weights)
{
    rate_test t = {.given = given, .recipe = recipe, .data = data};
    const char *file = given->report ? given->report : given->json ? NULL : "find-rate.html";
    if (!given->json) {
        printf("learning rate range test of %s on ", given->operands[0]);
        tool_put_text(stdout, hk_data_spec(data));
        printf(": %s from %g to %g in %d steps of %d samples\n\n", recipe->optimizer, lowest_rate,
               highest_rate, RATE_STEPS, recipe->batch);
    }
    int status = sweep(&t, it, class_weights);
    if (status)
        return status;
    judge(&t);
    if (given->json)
        status = print_json(&t);
    else
        print(&t);
    return !status && file ? net_find_rate_page(&t, file) : status;
}
