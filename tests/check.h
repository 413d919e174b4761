/* tests/check.h - prints what differed and where, and goes on.
 *
 * A test program: static void some_case(void) { CHECK(...); }
 * int main(void) { RUN(some_case); ...; return check_result(); }
 *
 * With CHECK_STOP in the environment, it ends behind the first case that fails. */
#pragma once
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_passed, check_failed, check_skipped, check_case_failed, check_case_skipped;
static long check_count;

/* Exit status by which CTest knows a program that skipped everything. */
enum { CHECK_SKIPPED = 77 };

/* Before a test's own long loops, such as a reference in double: sanitizers watch the library. */
#define UNWATCHED __attribute__((no_sanitize("address"), no_sanitize("undefined")))

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(condition)) {                                                                        \
            check_case_failed++;                                                                   \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

/* |found - expected| <= tolerance; not so for NaN. */
#define CHECK_NEAR(found, expected, tolerance)                                                     \
    do {                                                                                           \
        double found_ = (double)(found), expected_ = (double)(expected);                           \
        check_count++;                                                                             \
        if (!(fabs(found_ - expected_) <= (double)(tolerance))) {                                  \
            check_case_failed++;                                                                   \
            printf("%s:%d: %s is %.9g, expected %.9g within %.3g\n", __FILE__, __LINE__, #found,   \
                   found_, expected_, (double)(tolerance));                                        \
        }                                                                                          \
    } while (0)

#define CHECK_EQUAL(found, expected)                                                               \
    do {                                                                                           \
        long long found_ = (long long)(found), expected_ = (long long)(expected);                  \
        check_count++;                                                                             \
        if (found_ != expected_) {                                                                 \
            check_case_failed++;                                                                   \
            printf("%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #found, found_,       \
                   expected_);                                                                     \
        }                                                                                          \
    } while (0)

#define CHECK_TEXT(found, expected)                                                                \
    do {                                                                                           \
        const char *found_ = (found), *expected_ = (expected);                                     \
        check_count++;                                                                             \
        if (!found_ || strcmp(found_, expected_) != 0) {                                           \
            check_case_failed++;                                                                   \
            printf("%s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, __LINE__, #found,           \
                   found_ ? found_ : "(null)", expected_);                                         \
        }                                                                                          \
    } while (0)

#define CHECK_CONTAINS(text, part)                                                                 \
    do {                                                                                           \
        const char *text_ = (text), *part_ = (part);                                               \
        check_count++;                                                                             \
        if (!text_ || !strstr(text_, part_)) {                                                     \
            check_case_failed++;                                                                   \
            printf("%s:%d: %s is \"%s\", which lacks \"%s\"\n", __FILE__, __LINE__, #text,         \
                   text_ ? text_ : "(null)", part_);                                               \
        }                                                                                          \
    } while (0)

/* Leaves the case as skipped, with a reason that stands in the output. */
#define SKIP(reason)                                                                               \
    do {                                                                                           \
        printf("  skipped: %s\n", reason);                                                         \
        check_case_skipped = 1;                                                                    \
        return;                                                                                    \
    } while (0)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        long before_ = check_count;                                                                \
        check_case_failed = check_case_skipped = 0;                                                \
        test();                                                                                    \
        if (!check_case_skipped && check_count == before_) {                                       \
            printf("%s checked nothing\n", #test);                                                 \
            check_case_failed = 1;                                                                 \
        }                                                                                          \
        if (check_case_skipped)                                                                    \
            check_skipped++;                                                                       \
        else if (check_case_failed)                                                                \
            check_failed++;                                                                        \
        else                                                                                       \
            check_passed++;                                                                        \
        printf("%s %s\n",                                                                          \
               check_case_skipped  ? "skip"                                                        \
               : check_case_failed ? "FAIL"                                                        \
                                   : "ok  ",                                                       \
               #test);                                                                             \
        fflush(stdout);                                                                            \
        if (check_failed && getenv("CHECK_STOP"))                                                  \
            return check_result();                                                                 \
    } while (0)

static inline int check_result(void)
{
    printf("%d passed, %d failed, %d skipped\n", check_passed, check_failed, check_skipped);
    if (check_failed)
        return 1;
    return check_passed == 0 && check_skipped ? CHECK_SKIPPED : 0;
}
