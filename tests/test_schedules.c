/* Learning-rate schedules at steps whose value is known in closed form. */
#include "check.h"
#include "train/train.h"

static hki_schedule schedule(const char *spec)
{
    hki_schedule out;
    CHECK_EQUAL(hki_schedule_parse(spec, &out), HK_OK);
    return out;
}

/* 10 steps an epoch. */
static double rate(const char *spec, int64_t step, int64_t total)
{
    hki_schedule s = schedule(spec);
    return hki_schedule_rate(&s, step, 10, total);
}

static void constant_stays(void)
{
    CHECK_NEAR(rate("constant", 0, 100), 1, 0);
    CHECK_NEAR(rate("constant", 99, 100), 1, 0);
}

static void step_falls_at_epochs(void)
{
    CHECK_NEAR(rate("step:every=3", 29, 100), 1, 0);
    CHECK_NEAR(rate("step:every=3", 30, 100), 0.1, 1e-15);
    CHECK_NEAR(rate("step:every=3,factor=0.5", 69, 100), 0.25, 1e-15);
    CHECK_NEAR(rate("step", 99, 1000), 1, 0); /* every ten epochs, tenfold */
    CHECK_NEAR(rate("step", 100, 1000), 0.1, 1e-15);
}

/* 10 steps an epoch: 100 are 10 epochs. */
static void shares_follow_the_number_of_epochs(void)
{
    for (int64_t epochs = 5; epochs <= 500; epochs *= 10) {
        int64_t total = 10 * epochs;
        CHECK_NEAR(rate("step:every=20%,factor=0.7", total / 5 - 1, total), 1, 0);
        CHECK_NEAR(rate("step:every=20%,factor=0.7", total / 5, total), 0.7, 1e-15);
        CHECK_NEAR(rate("step:every=20%,factor=0.7", total - 1, total), pow(0.7, 4), 1e-15);
    }
    CHECK_NEAR(rate("step:every=20%,factor=0.7", 69, 70), pow(0.7, 4), 1e-15); /* 1.4 epochs each */
    CHECK_NEAR(rate("step:every=20%,factor=0.7", 9, 10), 1, 0);         /* one epoch is not cut, */
    CHECK_NEAR(rate("step:every=20%,factor=0.7", 20, 30), 0.49, 1e-15); /* of three each is */
    CHECK_NEAR(rate("constant:warmup=5%", 9, 200), 1, 0);
    CHECK_NEAR(rate("constant:warmup=5%", 4, 200), 0.5, 1e-15);
    CHECK_NEAR(rate("cosine:warmup=20%", 60, 100), 0.5, 1e-15);
    CHECK_NEAR(rate("step:every=30,warmup=50%", 24, 100), 0.5, 1e-15);
}

static void milestones_step_down(void)
{
    CHECK_NEAR(rate("step:at=50%+75%", 49, 100), 1, 0);
    CHECK_NEAR(rate("step:at=50%+75%", 50, 100), 0.1, 1e-15);
    CHECK_NEAR(rate("step:at=50%+75%", 79, 100), 0.1, 1e-15); /* 7.5 epochs: the eighth goes on */
    CHECK_NEAR(rate("step:at=50%+75%", 80, 100), 0.01, 1e-15);
    CHECK_NEAR(rate("step:at=2+50%,factor=0.5", 20, 100), 0.5, 1e-15);
    CHECK_NEAR(rate("step:at=2+50%,factor=0.5", 99, 100), 0.25, 1e-15);
    CHECK_NEAR(rate("step:at=50%", 9, 10), 1, 0);
}

static void cosine_falls_smoothly(void)
{
    CHECK_NEAR(rate("cosine", 0, 100), 1, 0);
    CHECK_NEAR(rate("cosine", 50, 100), 0.5, 1e-15);
    CHECK_NEAR(rate("cosine", 25, 100), (1 + sqrt(0.5)) / 2, 1e-15);
    CHECK_NEAR(rate("cosine", 100, 100), 0, 1e-15);
    CHECK_NEAR(rate("cosine", 130, 100), 0, 1e-15); /* trained further: stays at its end */
    CHECK_NEAR(rate("cosine:min=0.2", 50, 100), 0.6, 1e-15);
    CHECK_NEAR(rate("cosine:min=0.2", 100, 100), 0.2, 1e-15);
}

/* 0.3 of 101 steps end at step 29.3; the last is step 100. */
static void one_cycle_rises_and_falls(void)
{
    CHECK_NEAR(rate("one-cycle", 0, 101), 1.0 / 25, 1e-15);
    CHECK_NEAR(rate("one-cycle:up=0.5", 49, 100), 1, 1e-15);
    CHECK_NEAR(rate("one-cycle:up=0.5", 99, 100), 1.0 / 25 / 1e4, 1e-15);
    CHECK_NEAR(rate("one-cycle:up=0.5", 74, 100), (1 + 4e-6) / 2, 1e-15);
    CHECK_NEAR(rate("one-cycle:up=0.3,start=10,end=10", 12, 86),
               0.1 + 0.9 * (1 - cos(acos(-1) * 12 / 24.8)) / 2, 1e-14);
    CHECK_NEAR(rate("one-cycle:up=0", 0, 50), 1, 0);
    double before = 0;
    for (int step = 0; step <= 29; step++) {
        double now = rate("one-cycle", step, 101);
        CHECK(now > before && now <= 1);
        before = now;
    }
    before = 1; /* between steps 29 and 30 */
    for (int step = 30; step <= 100; step++) {
        double now = rate("one-cycle", step, 101);
        CHECK(now < before && now > 0);
        before = now;
    }
}

static void exponential_changes_by_equal_factors(void)
{
    CHECK_NEAR(rate("exponential", 0, 100), 1, 0);
    CHECK_NEAR(rate("exponential", 50, 100), 0.1, 1e-15);
    CHECK_NEAR(rate("exponential:to=0.25", 100, 100), 0.25, 1e-15);
    CHECK_NEAR(rate("exponential:from=1e-6,to=10,over=4", 0, 100), 1e-6, 1e-21);
    CHECK_NEAR(rate("exponential:from=1e-6,to=10,over=4", 20, 100), sqrt(1e-5), 1e-15);
    CHECK_NEAR(rate("exponential:from=1e-6,to=10,over=40%", 40, 100), 10, 1e-13);
    CHECK_NEAR(rate("exponential:from=1e-6,to=10,over=40%", 99, 100), 10, 1e-13); /* stays */
    CHECK_NEAR(rate("exponential:warmup=2", 19, 100), 1, 0);
    CHECK_NEAR(rate("exponential:warmup=2", 60, 100), 0.1, 1e-15); /* half of the 80 steps left */
    CHECK_NEAR(rate("exponential:over=0", 3, 100), 0.01, 1e-15);
}

static void warmup_rises_linearly(void)
{
    CHECK_NEAR(rate("constant:warmup=2", 0, 100), 0.05, 1e-15);
    CHECK_NEAR(rate("constant:warmup=2", 9, 100), 0.5, 1e-15);
    CHECK_NEAR(rate("constant:warmup=2", 19, 100), 1, 0);
    CHECK_NEAR(rate("constant:warmup=2", 20, 100), 1, 0);
    CHECK_NEAR(rate("constant:warmup=0.5", 0, 100), 0.2, 1e-15);
    CHECK_NEAR(rate("cosine:warmup=2", 19, 100), 1, 0);
    CHECK_NEAR(rate("cosine:warmup=2", 20, 100), 1, 0);
    CHECK_NEAR(rate("cosine:warmup=2", 60, 100), 0.5, 1e-15);       /* half of the 80 steps left */
    CHECK_NEAR(rate("step:every=3,warmup=1", 30, 100), 0.1, 1e-15); /* epochs from the start */
    CHECK_NEAR(rate("step:every=3,warmup=1", 4, 100), 0.5, 1e-15);
}

static void tiny_runs_have_a_rate(void)
{
    static const char *const specs[] = {"constant",
                                        "step",
                                        "cosine",
                                        "one-cycle",
                                        "cosine:warmup=5",
                                        "one-cycle:warmup=5,up=0.9",
                                        "exponential:over=1"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        for (int64_t total = 0; total < 5; total++)
            for (int64_t step = 0; step < 7; step++) {
                double found = rate(specs[i], step, total);
                CHECK(found >= -1e-15 && found <= 1);
            }
    CHECK_NEAR(rate("one-cycle", 0, 1), 1, 0);
}

static void bad_specs_are_told(void)
{
    hki_schedule out;
    CHECK_EQUAL(hki_schedule_parse("cosin", &out), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(),
                   "did you mean \"cosine\"? known: constant, step, cosine, one-cycle");
    CHECK_EQUAL(hki_schedule_parse("cosine:max=1", &out), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "\"cosine\" has no parameter \"max\"; known: warmup, min");
    CHECK_EQUAL(hki_schedule_parse("step:every=0", &out), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "every=0 is outside (0, inf)");
    static const char *const no_lengths[] = {"step:every=120%",  "cosine:warmup=%",
                                             "cosine:warmup=-1", "step:at=50%+",
                                             "step:at=a%",       "constant:warmup=5%5"};
    for (size_t i = 0; i < sizeof no_lengths / sizeof *no_lengths; i++) {
        CHECK_EQUAL(hki_schedule_parse(no_lengths[i], &out), HK_BAD_ARGUMENT);
        CHECK_CONTAINS(hk_message(), "expected epochs, 3, or a share of the whole training, 20%");
    }
    CHECK_EQUAL(hki_schedule_parse("step:every=2,at=50%", &out), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "has every and at, expected one");
    CHECK_EQUAL(hki_schedule_parse("step:at=1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1", &out),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "at has more than 16 lengths");
    CHECK_EQUAL(hki_schedule_parse("cosine:min=1.5", &out), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hki_schedule_parse("one-cycle:up=1", &out), HK_BAD_ARGUMENT);
}

int main(void)
{
    RUN(constant_stays);
    RUN(step_falls_at_epochs);
    RUN(shares_follow_the_number_of_epochs);
    RUN(milestones_step_down);
    RUN(cosine_falls_smoothly);
    RUN(one_cycle_rises_and_falls);
    RUN(exponential_changes_by_equal_factors);
    RUN(warmup_rises_linearly);
    RUN(tiny_runs_have_a_rate);
    RUN(bad_specs_are_told);
    return check_result();
}
