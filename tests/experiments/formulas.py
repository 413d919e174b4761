#!/usr/bin/python3
"""Formulas through new, build and check --quick, and their kernels against 60 digits of mpmath.

usage: formulas.py HILLOCK [LIST]; in an empty folder. Each parameter has its default, then the ends of its
range or the other sign, one at a time; learned ones have other defaults in plugins of their own. Prints
what is wrong without a note, what is noted, refused, or failed, and the sums. Wrong: a value or slope that
is further from the formula's than what roundings of x and of sums of its size explain."""
import re, subprocess, sys, os, json
import mpmath as mp

mp.mp.dps = 60
hillock = sys.argv[1]
listed = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(__file__), "formulas.txt")
POINTS = [0, 2**-20, -2**-20, 2**-10, -2**-10, 0.0625, -0.0625, 0.375, -0.375, 0.8125, -0.8125, 1.25, -1.25,
          1.875, -1.875, 2.5, -2.5, 3.1875, -3.1875, 5.25, -5.25, 8.125, -8.125, 13.5, -13.5, 21.25, -21.25,
          47.5, -47.5, 90.25, -90.25, 150, -150, 1000, -1000, 65536, -65536, 1e6, -1e6]


def choice(text):
    """a ? b : c as Python has it, within brackets, too."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "(") - (c in ")")
        if c == "?" and depth == 0:
            inner = 0
            for j in range(i + 1, len(text)):
                inner += (text[j] in "(?") - (text[j] in ")")
                if text[j] == ":":
                    if inner == 0:
                        return "((%s) if (%s) else (%s))" % (
                            choice(text[i + 1:j]), choice(text[:i]), choice(text[j + 1:]))
                    inner -= 1
    out, i = "", 0
    while i < len(text):
        if text[i] == "(":
            depth, j = 1, i + 1
            while depth:
                depth += (text[j] == "(") - (text[j] == ")")
                j += 1
            out += "(" + ",".join(choice(part) for part in parts(text[i + 1:j - 1])) + ")"
            i = j
        else:
            out += text[i]
            i += 1
    return out


def parts(text):
    depth, begin, found = 0, 0, []
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            found.append(text[begin:i])
            begin = i + 1
    return found + [text[begin:]]


def python_of(text):
    text = re.sub(r"(?<![\w.])(\d+\.?\d*(?:[eE][-+]?\d+)?)", r"M('\1')", text.replace("^", "**"))
    return compile(choice(text), "formula", "eval")


def exponential(u):
    """Beyond what can be written out: a result that counts as none, or 0."""
    return mp.inf if u > 1e7 else mp.mpf(0) if u < -1e7 else mp.exp(u)


NAMES = {"M": mp.mpf, "pi": mp.pi, "exp": exponential, "expm1": mp.expm1, "log": mp.log, "log1p": mp.log1p,
         "sqrt": mp.sqrt, "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "atan": mp.atan, "tanh": mp.tanh,
         "erf": mp.erf, "erfc": mp.erfc, "abs": abs, "sign": mp.sign, "floor": mp.floor, "min": min,
         "max": max, "sigmoid": lambda u: 1 / (1 + exponential(-u)), "softplus": lambda u: mp.log1p(exponential(u))}


def value(code, x, parameters):
    try:
        y = eval(code, NAMES, dict(parameters, x=x))
        return mp.mpf(y) if not isinstance(y, mp.mpc) and mp.isfinite(y) else None
    except (ArithmeticError, ValueError, TypeError):
        return None


def slopes(code, x, parameters):
    """The quotients of both sides; None where they do not settle."""
    y, found = value(code, x, parameters), []
    if y is None:
        return None
    for side in (1, -1):
        for h in (mp.mpf(10)**-25, mp.mpf(10)**-23):
            other = value(code, x + side * h, parameters)
            if other is None:
                return None
            found.append((other - y) / (side * h))
    if any(abs(found[i] - found[i + 1]) > mp.mpf("1e-7") * (1 + abs(found[i])) for i in (0, 2)):
        return None
    return min(found[0], found[2]), max(found[0], found[2])


def near(found, low, high, extra, x):
    if max(abs(low), abs(high)) > 3e38:
        return True
    if found != found:
        return False
    allowed = 2e-6 * max(abs(low), abs(high)) + 1e-6 * (1 + min(abs(x), 16)) + extra
    return low - allowed <= found <= high + allowed


def first_fault(code, parameters, rows):
    for x, y, dy in rows:
        at = mp.mpf(x)
        should = value(code, at, parameters)
        if should is None:
            continue
        moved = [value(code, at * (1 + s * mp.mpf(2)**-22), parameters) for s in (1, -1)]
        extra = sum(abs(m - should) for m in moved if m is not None)
        if not near(y, should, should, extra, x):
            return "value %g at x = %g, formula %s" % (y, x, mp.nstr(should, 8))
        both = slopes(code, at, parameters)
        if both is None:
            continue
        moved = [slopes(code, at * (1 + s * mp.mpf(2)**-22), parameters) for s in (1, -1)]
        extra = sum(abs(m[0] - both[0]) for m in moved if m is not None)
        if not near(dy, both[0], both[1], extra, x):
            return "slope %g at x = %g, formula %s" % (dy, x, mp.nstr(both[0], 8))
    return None


def settings(declared):
    """What moves: [{name: value}], the defaults first."""
    found = [{}]
    for name, words in declared:
        default, *ends = [w for w in words.split(":") if w != "learned"]
        found += [{name: v} for v in dict.fromkeys(ends or ["%g" % -float(default)]) if v != default]
    return found


def run(*words):
    return subprocess.run([hillock, *words], capture_output=True, text=True)


rows = []
lines = open(listed).read().splitlines()
n_listed = len(lines)
for number, line in enumerate(lines):  # which grows
    if line.startswith("#") or not line.strip():
        continue
    text, *params = [part.strip() for part in line.split(" | ")]
    name, declared = "f%03d" % len(rows), [p.split("=") for p in params]
    learned = [d for d in declared if "learned" in d[1]]
    for moved in settings(learned)[1:] if number < n_listed else []:
        lines.append("%s | %s" % (text, " | ".join(
            "%s=%s" % (n, moved[n] + ":learned" if n in moved else w) for n, w in declared)))
    made = run("new", "activation", name, "--formula=" + text,
               *[word for p in params for word in ("--param", p)])
    rows.append({"name": name, "settings": settings([d for d in declared if d not in learned]),
                 "text": line.strip(), "formula": text, "new": made.returncode,
                 "parameters": {p.split("=")[0]: mp.mpf(p.split("=")[1].split(":")[0]) for p in params},
                 "notes": [n for n in made.stderr.splitlines() if n]})
    n_formulas = len(rows) if number < n_listed else n_formulas
made = [row for row in rows if row["new"] == 0]
for i in range(0, len(made), 8):
    run("build", *[row["name"] + ".c" for row in made[i:i + 8]])
checked = run("check", "--quick", "--json", *["./%s.so" % row["name"] for row in made])
failed = {}
for plugin in json.loads(checked.stdout)["checked"]:
    bad = [t["test"] + ": " + t["detail"] for t in plugin["tests"] if t["result"] == "failed"]
    if bad:
        failed[os.path.basename(plugin["file"])[:-3]] = bad[0]
sums = {"formulas": n_formulas, "plugins": len(rows), "settings": 0,
        "refused": len(rows) - len(made), "noted": 0, "failed check": 0, "failed check without a note": 0, "wrong": 0, "wrong without a note": 0}
for row in rows:
    notes = row["notes"]
    if row["new"]:
        print("refused  %s\n         %s" % (row["text"], notes[-1] if notes else ""))
        continue
    fault = None
    for moved in row["settings"]:
        spec = ",".join("%s=%s" % pair for pair in moved.items())
        curve = run("curve", "./%s.so%s" % (row["name"], spec and ":" + spec), "--",
                    *["%.17g" % x for x in POINTS])
        points = [[float(word) for word in line.split("\t")] for line in curve.stdout.splitlines()
                  if re.match(r"[-\d]", line)]
        exact = [(x, y, dy) for x, (_, y, dy) in zip(POINTS, points)]
        found = first_fault(python_of(row["formula"]),
                            dict(row["parameters"], **{n: mp.mpf(v) for n, v in moved.items()}), exact)
        sums["settings"] += 1
        if len(points) != len(POINTS):
            found = "curve: " + curve.stderr
        fault = fault or (found and found + (" with " + spec if spec else ""))
    sums["noted"] += bool(notes)
    sums["wrong"] += bool(fault)
    sums["wrong without a note"] += bool(fault and not notes)
    sums["failed check"] += row["name"] in failed
    sums["failed check without a note"] += row["name"] in failed and not notes
    if fault or row["name"] in failed or notes:
        print("%s  %s" % ("SILENT " if (fault or row["name"] in failed) and not notes else "noted  ",
                          row["text"]))
        for word in ([fault] if fault else []) + [failed.get(row["name"], "")] + notes:
            if word:
                print("         " + word)
print(", ".join("%d %s" % (n, what) for what, n in sums.items()))
