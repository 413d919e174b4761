"""The statistics of a comparison and scipy, on random cases.

    statistics_parity.py BUILD_FOLDER

Every number within 1e-8 of scipy's, relative to its size where it is above 1. Each line ends with
the largest difference.

Needs Debian's python3-scipy and python3-numpy."""
import os
import subprocess
import sys
import warnings

import numpy
from scipy import stats

CASES = 100
RANDOM = numpy.random.default_rng(1)
warnings.simplefilter("ignore")  # scipy's, of noncentral t far out in a tail


def words(*values):
    return " ".join(format(v, ".17g") if isinstance(v, float) else str(v) for v in values)


def numbers(x):
    return words(*map(float, x))


def tail_size():
    return float(10 ** RANDOM.uniform(-6, -0.31))


def normal():
    z = float(RANDOM.normal(0, 4))
    return words("normal", z), [stats.norm.cdf(z)]


def student():
    t, df = float(RANDOM.standard_t(2)), float(RANDOM.choice([1, 2, 4, 9, 2.5, 44, 300]))
    return words("student", t, df), [stats.t.cdf(t, df)]


def quantile():
    """Compared as a probability: scipy's quantile is good to nine digits only."""
    p, df = tail_size(), float(RANDOM.integers(1, 200))
    return words("quantile", p, df), [p], lambda found: [stats.t.cdf(found[0], df)]


def noncentral():
    df, shift = float(RANDOM.integers(1, 300)), float(RANDOM.uniform(0, 8))
    t = shift + float(RANDOM.normal(0, 2))
    return words("noncentral", t, df, shift), [stats.nct.cdf(t, df, shift)]


def sample():
    x = RANDOM.normal(0.9, 0.01, RANDOM.integers(2, 40))
    interval = stats.t.interval(0.95, x.size - 1, x.mean(), stats.sem(x))
    return (words("sample", x.size) + " " + numbers(x),
            [x.mean(), x.std(ddof=1), numpy.median(x), *interval])


def paired():
    n = RANDOM.integers(6, 45)
    b = RANDOM.normal(0.9, 0.02, n)
    a = b + RANDOM.normal(RANDOM.uniform(-0.01, 0.01), 0.01, n)
    d = a - b
    test = stats.ttest_rel(a, b)
    interval = stats.t.interval(0.95, n - 1, d.mean(), stats.sem(d))
    exact = stats.wilcoxon(a, b, mode="exact").pvalue
    return (words("paired", n) + " " + numbers(a) + " " + numbers(b),
            [d.mean(), d.std(ddof=1), test.statistic, test.pvalue, *interval,
             d.mean() / d.std(ddof=1), exact])


def ranks_of_many():
    """Above 50 pairs both use the normal approximation; here with ties and zeros."""
    a = RANDOM.integers(-5, 7, 90).astype(float)
    d, b = a[a != 0], numpy.zeros(a.size)
    approx = stats.wilcoxon(d, mode="approx", correction=False).pvalue
    return (words("paired", a.size) + " " + numbers(a) + " " + numbers(b), [approx],
            lambda found: [found[7]])


def holm():
    p = RANDOM.uniform(0, 1, RANDOM.integers(1, 30)) ** 3
    order = numpy.argsort(p)
    adjusted = numpy.empty(p.size)
    adjusted[order] = numpy.minimum(
        1, numpy.maximum.accumulate(p[order] * numpy.arange(p.size, 0, -1)))
    return words("holm", p.size) + " " + numbers(p), list(adjusted)


def power(effect, n, level):
    return 1 - stats.nct.cdf(stats.t.ppf(1 - level / 2, n - 1), n - 1, effect * n ** 0.5)


def seeds():
    effect, tests = float(RANDOM.uniform(0.35, 3)), int(RANDOM.integers(1, 30))
    n = 2
    while not power(effect, n, 0.05 / tests) >= 0.8:
        n += 1
    return words("seeds", effect, tests), [n]


def apart(found, expected):
    """The largest difference, relative where numbers are above 1."""
    found, expected = numpy.array(found, float), numpy.array(expected, float)
    scale = numpy.maximum(1, numpy.abs(expected))
    return float(numpy.nan_to_num(numpy.abs(found - expected) / scale, nan=numpy.inf).max())


def compare(program, make):
    cases = [make() for _ in range(CASES)]
    reply = subprocess.run([program], input="\n".join(c[0] for c in cases), check=True,
                           capture_output=True, text=True).stdout.splitlines()
    worst = 0
    for case, line in zip(cases, reply, strict=True):
        found = [float(word) for word in line.split()]
        found = case[2](found) if len(case) > 2 else found
        assert len(found) == len(case[1]), line
        worst = max(worst, apart(found, case[1]))
    good = worst <= 1e-8
    print(f"{'ok  ' if good else 'FAIL'} {make.__name__:14} {CASES} cases, {worst:.1e}", flush=True)
    return good


def main():
    program = os.path.join(sys.argv[1], "bin", "statistics_parity")
    results = [compare(program, make) for make in (normal, student, quantile, noncentral, sample,
                                                   paired, ranks_of_many, holm, seeds)]
    print(f"peers: {sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
