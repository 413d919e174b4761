/* What the bits of a result may not depend on: how rows are cut into tiles, where a row stands,
 * what stands beside it, what ran before and what runs at the same time. For all kernels that run
 * on tiles: activations, and normalizations over rows. */
#include "plugin/check/check.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <hillock/kernel.h>

static bool has_trait(const hk_plugin *plugin, uint32_t trait)
{
    return plugin->activation ? plugin->activation->traits & trait : trait == HK_ROWWISE;
}

/* A varied use in training whose kernels run on tiles; NULL when there is none, or when the plugin
 * does not take so many channels. */
static use *block_use(const subject *s, int64_t rows, int64_t channels)
{
    use *u = check_use_new(s->plugin, rows, channels);
    u->context.training = 1;
    check_use_vary(u, 6);
    if (s->plugin->activation)
        return check_use_channels_out(u) < 1 ? NULL : u;
    for (int which = 0; check_use_choose(u, which); which++)
        if (check_host_domain(u) == HK_OVER_ROW)
            return u;
    return NULL;
}

/* False, and the test skipped, for normalizations that leave the rows to the framework. */
static bool runs_on_tiles(const subject *s)
{
    const int mark = check_arrays_mark();
    const bool runs = s->plugin->activation || block_use(s, 4, 12);
    check_arrays_release(mark);
    if (!runs)
        check_skip("its kernels do not run on tiles of rows");
    return runs;
}

/* Calls `each` with a use of such a block, for the kernels of every instruction set; skips the test
 * for normalizations that leave the rows to the framework. */
static void each_set(const subject *s, int64_t rows, int64_t channels,
                     void (*each)(use *u, int isa))
{
    for (int isa = 0; isa < HK_ISA_COUNT && runs_on_tiles(s) && !check_has_failed(); isa++) {
        const int mark = check_arrays_mark();
        use *u = check_has_kernels(s->plugin, isa) ? block_use(s, rows, channels) : NULL;
        if (u)
            each(u, isa);
        check_arrays_release(mark);
    }
}

static void require_same_bits(const use *u, int isa, const char *name, const float *a,
                              const float *b, int64_t n, const char *what)
{
    const int64_t at = check_first_difference(a, b, n);
    if (at >= 0)
        check_fail("%s: %s[%lld] is %.9g, then %.9g, %s", check_case_text(u, isa), name,
                   (long long)at, (double)a[at], (double)b[at], what);
}

/* Fails unless both passes have the same bits; `what` happened in between. */
static void require_same(const use *u, int isa, const pass *a, const pass *b, const char *what)
{
    require_same_bits(u, isa, "y", a->y, b->y, a->out, what);
    require_same_bits(u, isa, "dx", a->dx, b->dx, a->in, what);
}

static void require_near(const use *u, const char *name, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; a && i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= 1e-4f * (1 + fabsf(a[i]) + (float)u->context.rows)))
            check_fail("%s: the sum %s[%lld] is %.9g for the whole, %.9g from parts",
                       check_spec_text(u), name, (long long)i, (double)a[i], (double)b[i]);
}

/* ---- Splits ---------------------------------------------------------------------------------- */

static void require_untouched(const use *u, int isa, const char *what, const float *x, int64_t n)
{
    const int64_t width = n / u->context.rows;
    for (int64_t i = 0; i < n; i++)
        if ((i / width < 2 || i / width > 4) && !isnan(x[i]))
            check_fail("%s, %s: %s of row %lld", check_spec_text(u), check_isa_names[isa], what,
                       (long long)(i / width));
}

static void check_cut(const use *u, int isa, const pass *whole, int64_t step)
{
    char what[60];
    pass *p = check_pass_copy(u, whole);
    snprintf(what, sizeof what, "in tiles of %lld rows", (long long)step);
    for (int64_t first = 0; first < u->context.rows; first += step) {
        const int64_t rows = u->context.rows - first < step ? u->context.rows - first : step;
        check_forward(u, isa, p, first, rows);
        check_backward(u, isa, p, first, rows);
    }
    require_same(u, isa, whole, p, what);
    const hk_activation *act = u->plugin->activation;
    require_near(u, "sums", whole->sums, p->sums, act ? act->n_sums * u->context.channels : 0);
    for (int k = 0; k < u->n_slots; k++)
        require_near(u, u->plugin->slots[k].name, whole->dslots[k], p->dslots[k], u->lengths[k]);
}

static void check_splits(use *u, int isa)
{
    pass *whole = check_pass_new(u, 3);
    check_host_run(u, isa, whole);
    for (int64_t step = 1; step <= 8; step += 1 + step / 2)
        check_cut(u, isa, whole, step);
    pass *p =
        check_pass_copy(u, whole); /* one tile in the middle leaves the rows around it alone */
    check_forward(u, isa, p, 2, 3);
    require_untouched(u, isa, "forward on rows 2 to 4 wrote y", p->y, p->out);
    check_forward(u, isa, p, 0, u->context.rows);
    check_backward(u, isa, p, 2, 3);
    require_untouched(u, isa, "backward on rows 2 to 4 wrote dx", p->dx, p->in);
    if (!has_trait(u->plugin, HK_IN_PLACE) || whole->in != whole->out)
        return;
    p = check_pass_copy(u, whole);
    pass over = *p; /* y over x and dx over dy */
    over.y = p->x;
    check_forward(u, isa, &over, 0, u->context.rows);
    memcpy(p->y, over.y, (size_t)p->out * sizeof *p->y);
    over = *p, over.x = whole->x, over.dx = p->dy;
    check_backward(u, isa, &over, 0, u->context.rows);
    memcpy(p->dx, over.dx, (size_t)p->in * sizeof *p->dx);
    require_same(u, isa, whole, p, "in place");
}

void check_test_splits(const subject *s)
{
    static const int64_t channels[] = {1, 3, 12, 16, 34, 70, 300};
    for (int c = 0; c < 7; c++)
        each_set(s, 13, channels[c], check_splits);
}

/* ---- Position and neighbours ----------------------------------------------------------------- */

static void copy_first_row(float *x, int64_t rows, int64_t width)
{
    for (int64_t row = 1; row < rows; row++)
        memcpy(x + row * width, x, (size_t)width * sizeof *x);
}

/* Rows 0 to 130 of a batch, beyond any counter of 6 or 7 bits. Equal rows must give equal rows, whatever
 * their number and the key. */
enum { ROWS = 131 };
static void check_equal_rows(const use *u, int isa)
{
    const int64_t channels = u->context.channels;
    pass *p = check_pass_new(u, 2);
    const int64_t out = p->out / ROWS;
    copy_first_row(p->x, ROWS, channels);
    copy_first_row(p->dy, ROWS, out);
    check_host_run(u, isa, p);
    for (int64_t row = 1; row < ROWS; row++)
        if (check_first_difference(p->y + row * out, p->y, out) >= 0 ||
            check_first_difference(p->dx + row * channels, p->dx, channels) >= 0)
            check_fail(
                "%s, %s: row %lld has other results than row 0, with the same input; that needs "
                "HK_STOCHASTIC",
                check_spec_text(u), check_isa_names[isa], (long long)row);
}

/* The same rows as a tile far down in a large batch, and as a small batch of their own. */
static void check_place(use *u, int isa)
{
    static const int64_t first_rows[] = {0, 1, 255, 32760, 65536, 1 << 24};
    const int64_t rows = u->context.rows, samples = u->context.rows_per_sample;
    char what[100];
    pass *whole = check_pass_new(u, 2);
    check_host_run(u, isa, whole);
    for (int i = 0; i < 6 && !check_has_failed(); i++) {
        pass *p = check_pass_copy(u, whole);
        hk_tile ahead = check_tile_of(u, p, 0, rows);
        u->context.rows = first_rows[i] ? 1 << 25 : 2 * rows + 3;
        u->context.rows_per_sample = 1;
        ahead.first_row = first_rows[i];
        hk_tile back = ahead;
        ahead.dy = NULL, ahead.dx = NULL, ahead.dslots = NULL, back.sums = NULL;
        check_begin_call("forward or backward", isa, u->context.rows, u->context.channels);
        check_kernel_of(u->plugin, isa, false)(&u->context, &ahead);
        check_kernel_of(u->plugin, isa, true)(&u->context, &back);
        check_end_call();
        snprintf(what, sizeof what, "as rows %lld to %lld of %lld", (long long)first_rows[i],
                 (long long)(first_rows[i] + rows - 1), (long long)u->context.rows);
        u->context.rows = rows;
        u->context.rows_per_sample = samples;
        require_same(u, isa, whole, p, what);
    }
}

static void check_position(use *u, int isa)
{
    for (uint32_t training = 0; training < 2; training++) {
        if (training && has_trait(u->plugin, HK_STOCHASTIC))
            break;
        u->context.training = training;
        check_equal_rows(u, isa);
        check_place(u, isa);
        pass *p = check_pass_new(u, 2), *again = check_pass_copy(u, p);
        check_host_run(u, isa, p);
        u->context.key += 12345;
        check_host_run(u, isa, again);
        u->context.key -= 12345;
        require_same(u, isa, p, again, "with another key; that needs HK_STOCHASTIC");
    }
}

void check_test_position(const subject *s)
{
    each_set(s, ROWS, 12, check_position);
    each_set(s, ROWS, 9, check_position); /* where no row begins at the address of another */
}

/* x[at] differs between a and b: its own row may follow when HK_ROWWISE says so, else element `at`
 * alone. */
static void require_apart(const use *u, int isa, const char *name, const float *a, const float *b,
                          int64_t n, int64_t at, bool whole_row)
{
    const int64_t channels = u->context.channels, row = at / channels, width = n / u->context.rows;
    for (int64_t i = 0; i < n; i++)
        if ((whole_row ? i / width != row : i != at) &&
            check_first_difference(a + i, b + i, 1) >= 0)
            check_fail("%s, %s: x[%lld, %lld] changes %s[%lld, %lld]%s", check_spec_text(u),
                       check_isa_names[isa], (long long)row, (long long)(at % channels), name,
                       (long long)(i / width), (long long)(i % width),
                       i / width == row ? "; that needs HK_ROWWISE" : "");
}

static void check_neighbours(use *u, int isa)
{
    const hk_activation *act = u->plugin->activation;
    const bool whole_row = has_trait(u->plugin, HK_ROWWISE) || (act && act->channels_out);
    for (int64_t at = 0; at < 5 * 18; at += 7) {
        const int mark = check_arrays_mark();
        pass *p = check_pass_new(u, 2), *other = check_pass_copy(u, p);
        other->x[at] += 0.75f;
        check_host_run(u, isa, p);
        check_host_run(u, isa, other);
        require_apart(u, isa, "y", p->y, other->y, p->out, at, whole_row);
        require_apart(u, isa, "dx", p->dx, other->dx, p->in, at, whole_row);
        check_arrays_release(mark);
    }
}

void check_test_neighbours(const subject *s)
{
    each_set(s, 5, 18, check_neighbours);
}

/* ---- Repetition and threads ------------------------------------------------------------------ */

static void check_repeat(use *u, int isa)
{
    pass *first = check_pass_new(u, 2);
    check_host_run(u, isa, first);
    for (int turn = 0; turn < 3; turn++) {
        pass *again = check_pass_copy(u, first), *between = check_pass_new(u, 5);
        check_fill_normal(again->dx, again->in, 8, 1); /* dx is written, never read */
        check_host_run(u, isa, again);
        require_same(u, isa, first, again, "when run again");
        check_host_run(u, isa, between);
    }
}

void check_test_repeat(const subject *s)
{
    each_set(s, 11, 30, check_repeat);
}

enum { THREADS = 4 };
static const double test_seconds = 0.015;

/* Of this thread alone: on a busy machine the threads still run as often, and meet as often. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct work {
    const use *u;
    pass *p;
    const pass *expected;
    pthread_barrier_t *start;
    int64_t runs, wrong; /* wrong: results that differ */
} work;

/* Without check_begin_call() and read-only inputs: those are of the whole process. */
static void *run_often(void *user)
{
    work *w = user;
    const hk_plugin *plugin = w->u->plugin;
    hk_tile ahead = check_tile_of(w->u, w->p, 0, w->u->context.rows), back = ahead;
    ahead.dy = NULL, ahead.dx = NULL, ahead.dslots = NULL;
    back.sums = NULL;
    pthread_barrier_wait(w->start);
    for (double end = processor_seconds() + test_seconds; processor_seconds() < end; w->runs++) {
        check_kernel_of(plugin, HK_ISA_COUNT - 1, false)(&w->u->context, &ahead);
        check_kernel_of(plugin, HK_ISA_COUNT - 1, true)(&w->u->context, &back);
        w->wrong += check_first_difference(w->p->y, w->expected->y, w->p->out) >= 0 ||
                    check_first_difference(w->p->dx, w->expected->dx, w->p->in) >= 0;
    }
    return NULL;
}

/* A clock that makes a thread pause in the middle of its kernel, while the others go on: on a busy
 * machine they would hardly meet otherwise. POSIX allows pselect() in a handler, not nanosleep(). */
static void pause_briefly(int number)
{
    (void)number;
    pselect(0, NULL, NULL, NULL, &(struct timespec){.tv_nsec = 100000}, NULL);
}

/* Every so many microseconds; 0 stops it, and drops an alarm that is on its way. */
static void start_clock(long microseconds)
{
    const struct timeval time = {.tv_usec = microseconds};
    if (microseconds)
        signal(SIGALRM, pause_briefly);
    setitimer(ITIMER_REAL, &(struct itimerval){time, time}, NULL);
    if (!microseconds) {
        signal(SIGALRM, SIG_IGN);
        signal(SIGALRM, SIG_DFL);
    }
}

/* Several threads at once, each on its own numbers. */
void check_test_threads(const subject *s)
{
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    work works[THREADS];
    use *u = runs_on_tiles(s) ? block_use(s, 40, 48) : NULL;
    if (!u)
        return;
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        pass *expected = check_pass_new(u, 1 + (float)i), *p = check_pass_new(u, 1 + (float)i);
        check_host_run(u, HK_ISA_COUNT - 1, expected);
        works[i] = (work){u, p, expected, &start, 0, 0};
    }
    check_begin_call("four threads", HK_ISA_COUNT - 1, 40, 48);
    for (int i = 1; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run_often, &works[i]) != 0) {
            check_fail("a thread of the check itself could not be started");
            return;
        }
    start_clock(300);
    run_often(&works[0]);
    for (int i = 1; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    start_clock(0);
    check_end_call();
    for (int i = 0; i < THREADS; i++)
        if (works[i].wrong)
            check_fail("%lld of %lld results are wrong when four threads run it at once",
                       (long long)works[i].wrong, (long long)works[i].runs);
}
