#!/usr/bin/python3
"""Every command with one allocation refused: is the result right, or a sentence and a status that is not 0?

usage: refused.py HILLOCK refuse.so [RUNS]; in an empty folder. RUNS (5000) are shared by the commands; of each, the
allocations refused are spread over all that it makes. Prints what is neither, and the counts of each command."""
import collections, os, re, shutil, subprocess, sys

hillock, refuse = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5000
COMMANDS = """
--version
help train
list
list --json
inspect relu
inspect net.safetensors
inspect net.safetensors --json
curve elu -- -1 0 1
curve gelu --plot out.svg
new activation made --formula x*tanh(a*exp(x)) --param a=1:0.1:10
new normalization made --formula g*erf(a*x+s)+b
new initializer made
build wave.c
check --quick --json ./wave.so
check --quick relu
try max(x,a*x) --quick
train mlp:width=4,depth=1 --data csv:d.csv --epochs 1 --seed 1 --threads 1 --json
train mlp:width=4,depth=1 --data glyphs:train=40,test=20 --epochs 1 --seed 1 --threads 1 --json --out out.safetensors
evaluate net.safetensors --data csv:d.csv --json
predict net.safetensors --csv d.csv
doctor net.safetensors --data csv:d.csv --json
forecast mlp:width=8,depth=3 --json
compare --act relu,elu --model mlp:width=4,depth=1 --data csv:d.csv --seeds 2 --epochs 1 --db out.db --json --canonical
report --db r.db --out out.html
report --db r.db --csv
merge out.db r.db
judge --db r.db --json
export net.safetensors --onnx out.onnx
export net.safetensors --c out.c
bench conv 8,8,8,8 --seconds 0.01
"""
LIMIT = 120


def clean():
    for name in os.listdir("."):
        if name.startswith(("out.", "made.")) or ".tmp" in name or ".part" in name:
            os.remove(name)


def run(words, **more):
    clean()
    environment = dict(os.environ, OMP_NUM_THREADS="1", **more)
    try:
        done = subprocess.run([hillock, *words], capture_output=True, env=environment, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "hangs", b"", b""
    made = b"".join(open(n, "rb").read() for n in sorted(os.listdir(".")) if n.startswith(("out.", "made.")))
    told = re.sub(rb'("[a-z_]*(seconds|time|_ms|per_second|memory)[a-z_]*": )[-\d.e+]+', rb"\1", done.stdout)
    told = re.sub(rb"cycles +[\d.]+ an element", b"", told)
    return done.returncode, told, (done.stderr, b"" if b"SQLite" in made[:16] else made)


def prepare():
    with open("d.csv", "w") as table:
        table.write("a,b,label\n")
        for i in range(60):
            table.write("%d,%d,%s\n" % (i * 7 % 60, i * 13 % 50, "one" if i * 7 % 60 > 30 else "two"))
    for words in (["new", "activation", "wave", "--formula", "x + sin(x)^2"], ["build", "wave.c"],
                  ["train", "mlp:width=4,depth=1", "--data", "csv:d.csv", "--epochs", "2", "--out", "net.safetensors"],
                  ["compare", "--act", "relu,elu", "--model", "mlp:width=4,depth=1", "--data", "csv:d.csv", "--seeds", "3",
                   "--epochs", "1", "--db", "r.db"]):
        subprocess.run([hillock, *words], check=True, capture_output=True)


def judge(status, told, rest, right):
    """The outcome in a word."""
    stderr, made = rest
    if status == "hangs" or status < 0 or status >= 128:
        return "CRASH" if status != "hangs" else "HANG"
    if (status, told, made) == (right[0], right[1], right[2][1]):
        return "right"
    if status != 0 and (stderr.strip() or told.strip()):
        return "a sentence"
    return "SILENT" if status else "noted" if b"note:" in stderr else "WRONG"


prepare()
commands = [line.split() for line in COMMANDS.strip().splitlines()]
total = collections.Counter()
for words in commands:
    if os.path.exists("count"):
        os.remove("count")
    right = run(words)
    run(words, LD_PRELOAD=refuse, COUNT=os.path.abspath("count"))
    most = max([int(n) for n in open("count")] + [1]) if os.path.exists("count") else 1
    each, found = max(1, runs // len(commands)), collections.Counter()
    for k in sorted({1 + i * most // each for i in range(each)}):
        outcome = judge(*run(words, LD_PRELOAD=refuse, REFUSE=str(k)), right)
        found[outcome] += 1
        if outcome.isupper():
            print("  %s: allocation %d of %s" % (outcome, k, " ".join(words)), flush=True)
    print("%d allocations, status %s: %s: %s" % (most, right[0], " ".join(words), dict(found)), flush=True)
    total += found
print(sum(total.values()), "runs:", dict(total))
