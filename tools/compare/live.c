/* The live lines of a sweep. The time left is that of the runs which are left, at the mean duration
 * of those that this process has seen, shared among the jobs. */
#include "compare/live.h"
#include "output.h"
#include "compare/figures.h"
#include "compare/message.h"
#include "compare/rate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct slot {
    const run_record *run; /* NULL: empty */
    double since;
    int epoch, epochs;
    double share; /* of the epoch */
    double loss, images_per_s, left;
} slot;

struct live {
    const results *of;
    slot *slots;
    int jobs;
    bool on_terminal;
    int drawn; /* lines */
    double drawn_at;
    int ended;      /* runs seen to end here */
    double seconds; /* of those together */
};

static void clear(void *user)
{
    live *it = user;
    if (it->drawn)
        fprintf(stderr, "\033[%dA\r\033[J", it->drawn);
    it->drawn = 0;
}

live *compare_live_new(const results *of, int jobs)
{
    const char *term = getenv("TERM");
    live *it = calloc(1, sizeof *it);
    slot *slots = calloc((size_t)jobs, sizeof *slots);
    if (!it || !slots) {
        free(it);
        free(slots);
        return NULL;
    }
    *it = (live){.of = of, .slots = slots, .jobs = jobs};
    it->on_terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    tool_progress_others(clear, it);
    return it;
}

void compare_live_free(live *it)
{
    if (!it)
        return;
    clear(it);
    tool_progress_others(NULL, NULL);
    free(it->slots);
    free(it);
}

/* The run's, or with NULL an empty one: there are as many as runs at a time. */
static slot *slot_of(live *it, const run_record *run)
{
    slot *s = it->slots;
    while (s->run != run)
        s++;
    return s;
}

/* ---- Words ------------------------------------------------------------------------------------- */

/* Of all rows, or, for what models choose for themselves, of those of the same model. */
static bool varies(const results *of, const row_record *row, axis a)
{
    bool does = a == AXIS_MODEL || a == AXIS_ACT;
    for (int i = 0; i < of->n_rows && !does; i++)
        does = strcmp(of->rows[i].specs[a], row->specs[a]) != 0 &&
               (a != AXIS_OPTIMIZER ||
                strcmp(of->rows[i].specs[AXIS_MODEL], row->specs[AXIS_MODEL]) == 0);
    return does;
}

/* "lenet5 mish seed 2", with the axes that differ within the sweep. */
static void name_run(const results *of, const run_record *run, char *out, size_t size)
{
    const row_record *row = &of->rows[run->row];
    char optimizer[256];
    size_t used = 0;
    compare_rate_left_out(row->specs[AXIS_OPTIMIZER], optimizer, sizeof optimizer);
    for (axis a = 0; a < AXES && used < size; a++)
        if (varies(of, row, a))
            used += (size_t)snprintf(out + used, size - used, "%s ",
                                     a == AXIS_OPTIMIZER && isfinite(run->rate) ? optimizer
                                                                                : row->specs[a]);
    if (used < size && isfinite(run->rate))
        used += (size_t)snprintf(out + used, size - used, "lr %.3g ", run->rate);
    if (used < size && run->tuning)
        snprintf(out + used, size - used, "tuning");
    else if (used < size)
        snprintf(out + used, size - used, "seed %lld", (long long)run->seed);
}

static const char *time_text(double seconds, char out[32])
{
    const long long s = seconds > 0 && seconds < 1e9 ? (long long)(seconds + 0.5) : 0;
    if (!isfinite(seconds))
        snprintf(out, 32, "?");
    else if (s >= 3600)
        snprintf(out, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 32, "%lld:%02lld", s / 60, s % 60);
    return out;
}

static int count(const results *of, run_state state)
{
    int n = 0;
    for (int i = 0; i < of->n_runs; i++)
        n += of->runs[i].state == state;
    return n;
}

/* A run takes the mean of those that have ended, or else of what those that run expect. */
static double seconds_left(const live *it)
{
    double runs = count(it->of, RUN_PLANNED), longest = 0, seconds = it->seconds;
    int n = it->ended;
    for (const slot *s = it->slots; s < it->slots + it->jobs; s++) {
        if (!s->run)
            continue;
        runs += 1 - (s->epochs ? fmin(1, ((double)s->epoch - 1 + s->share) / s->epochs) : 0);
        longest = fmax(longest, s->left);
        if (!it->ended && s->epochs) {
            seconds += hk_now() - s->since + s->left;
            n++;
        }
    }
    return n ? fmax(longest, seconds / n * runs / it->jobs) : (double)NAN;
}

enum { TOTAL = 128 };

static const char *total_text(const live *it, char out[TOTAL])
{
    char bad_text[32] = "", left[32];
    const int n = it->of->n_runs;
    const int open = count(it->of, RUN_PLANNED) + count(it->of, RUN_RUNNING);
    const int bad = count(it->of, RUN_FAILED) + count(it->of, RUN_TIMEOUT);
    if (bad)
        snprintf(bad_text, sizeof bad_text, ", %d failed", bad);
    snprintf(out, TOTAL, "%d of %d runs%s, %s left", n - open, n, bad_text,
             time_text(seconds_left(it), left));
    return out;
}

/* ---- Drawing ----------------------------------------------------------------------------------- */

/* A line, cut at the width of the terminal: one that wraps would not be wiped away. */
static void put_line(const char *text, int width)
{
    char cut[512];
    snprintf(cut, sizeof cut, "%.*s", width - 1, text);
    tool_put_text(stderr, cut);
    fputs("\033[K\n", stderr);
}

void compare_live_draw(live *it)
{
    struct winsize size = {0};
    char total[TOTAL];
    if (!it->on_terminal || hk_now() - it->drawn_at < 0.1)
        return;
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    const int width = size.ws_col > 20 ? size.ws_col : 80;
    const int rows = size.ws_row ? size.ws_row : 24, most = rows > 3 ? rows - 2 : 1;
    clear(it);
    for (int i = 0; i < it->jobs && it->drawn < most; i++)
        if (it->slots[i].run) {
            const slot *s = &it->slots[i];
            char text[512], name[256], left[32];
            name_run(it->of, s->run, name, sizeof name);
            if (s->epochs)
                snprintf(text, sizeof text,
                         "%s: epoch %d/%d %3.0f %%  loss %.4f  %s images/s  %s left", name,
                         s->epoch, s->epochs, 100 * s->share, s->loss,
                         tool_grouped((int64_t)s->images_per_s), time_text(s->left, left));
            else
                snprintf(text, sizeof text, "%s: starting", name);
            put_line(text, width);
            it->drawn++;
        }
    put_line(total_text(it, total), width);
    it->drawn++;
    fflush(stderr);
    it->drawn_at = hk_now();
}

/* ---- What happens ------------------------------------------------------------------------------ */

void compare_live_start(live *it, const run_record *run)
{
    *slot_of(it, NULL) = (slot){.run = run, .since = hk_now()};
    compare_live_draw(it);
}

void compare_live_drop(live *it, const run_record *run)
{
    *slot_of(it, run) = (slot){.run = NULL};
}

void compare_live_progress(live *it, const run_record *run, const json_t *message)
{
    slot *s = slot_of(it, run);
    s->epoch = (int)fmin(1e9, compare_message_number(message, "epoch"));
    s->epochs = (int)fmin(1e9, compare_message_number(message, "epochs"));
    s->share =
        compare_message_number(message, "done") / fmax(1, compare_message_number(message, "of"));
    s->loss = compare_message_number(message, "loss");
    s->images_per_s = fmin(1e15, fmax(0, compare_message_number(message, "images_per_s")));
    s->left = fmin(1e9, fmax(0, compare_message_number(message, "seconds_left")));
    compare_live_draw(it);
}

void compare_live_end(live *it, const run_record *run)
{
    const double seconds = hk_now() - slot_of(it, run)->since;
    it->ended++;
    it->seconds += seconds;
    compare_live_drop(it, run);
    if (it->on_terminal && run->state == RUN_OK) {
        compare_live_draw(it);
        return;
    }
    char name[512], total[TOTAL];
    clear(it);
    name_run(it->of, run, name, sizeof name);
    tool_put_text(stderr, name);
    if (run->state == RUN_OK && !run->tuning)
        fprintf(stderr, ": %.2f %% of the %s", 100 * compare_run_score(run),
                isfinite(run->late_accuracy) ? "last tasks" : "test set");
    else if (run->state == RUN_OK)
        fprintf(stderr, ": %.2f %% of the validation set", 100 * compare_last_score(run));
    else
        fprintf(stderr, ": %s, ", compare_run_state_names[run->state]);
    if (run->state != RUN_OK)
        tool_put_text(stderr, run->reason ? run->reason : "");
    fprintf(stderr, ", %.1f s (%s)\n", seconds, total_text(it, total));
    compare_live_draw(it);
}
