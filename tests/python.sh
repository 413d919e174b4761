#!/bin/bash
# tools/python/hillock.py: the bits of the program, the examples of docs/python.md, how it is installed and
# where it finds the library.
# usage: python.sh BUILD SOURCE
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
build=$1 source=$2
export PYTHONDONTWRITEBYTECODE=1
for python in python3 /usr/bin/python3; do
    "$python" -c 'import numpy' 2>/dev/null && break
done
"$python" -c 'import numpy' 2>/dev/null || {
    echo "  skipped: no python3 with NumPy (Debian's python3-numpy)"
    exit 77
}
export PATH="$build/bin:$PATH" PYTHONPATH="$source/tools/python"

all_activations_have_the_programs_bits()
{
    "$build/bin/test_function" curves >curves && cat >bits.py <<'END' && "$python" bits.py curves
import sys, numpy, hillock
names = []
for line in open(sys.argv[1]):
    name, *numbers = line.split()
    x, y, slope = numpy.array([float.fromhex(n) for n in numbers], "f4").reshape(-1, 3).T
    f = hillock.activation(name)
    names += [name]
    for what, found, expected in ("value", f(x), y), ("slope", f.slope(x), slope):
        if not numpy.array_equal(found, expected, equal_nan=True):
            sys.exit(f"{name}: another {what}")
    if not numpy.array_equal(f(x), f(x.reshape(1, -1, 1))[0, :, 0]):
        sys.exit(f"{name}: other values in another shape")
print(len(names))
sys.exit(len(names) < 80)
END
    hillock curve mish -0.7 3 >curve && "$python" -c '
import hillock
f = hillock.activation("mish")
print("".join("%.9g\t%.9g\t%.9g\n" % (x, f([x])[0], f.slope([x])[0]) for x in __import__("numpy").float32([-0.7, 3])), end="")
' | diff - curve
}

# Those of torch are for tests/peers.
the_pages_examples_are_right()
{
    hillock train lenet5 --data glyphs:train=400,test=50 --epochs 4 --seed 1 --no-probes --out digits.safetensors &&
        awk '/^```python torch/ { other = 1 } !other && !/^```/; /^```$/ { other = 0; print "" }' \
            "$source/docs/python.md" >page.txt && [ "$(grep -c '^>>>' page.txt)" -gt 15 ] &&
        "$python" -m doctest page.txt
}

# The weights of PyTorch's layouts, multiplied as PyTorch does, give the net's answers.
dense_layers_are_transposed()
{
    hillock train mlp --data glyphs:train=64,test=8,size=8 --act relu --epochs 1 --seed 1 --no-probes \
        --out mlp.safetensors && cat >mlp.py <<'END' && "$python" mlp.py
import numpy, hillock
net = hillock.load("mlp.safetensors")
x = numpy.random.default_rng(1).normal(size=(5, *net.shape)).astype("f4")
w, h = net.state_dict(), x.reshape(5, -1)
for i in (1, 2, 3):
    h = h @ w[f"fc{i}.weight"].T + w[f"fc{i}.bias"]
    h = numpy.maximum(h, 0) if i < 3 else numpy.exp(h - h.max(1, keepdims=True))
assert numpy.allclose(h / h.sum(1, keepdims=True), net.probabilities(x, scaled=True), atol=1e-5)
raw = numpy.zeros((1, *net.shape), "u1")
mean, deviation = (numpy.float32(net.card[k]) for k in ("mean", "deviation"))
assert numpy.allclose(net.probabilities(raw), net.probabilities((raw - mean) / deviation, scaled=True), atol=1e-6)
END
}

errors_are_sentences()
{
    cat >errors.py <<'END' && "$python" errors.py
import hillock, numpy
for sentence, code in (
        ("glu cannot work on 3 channels", lambda: hillock.activation("glu")([[1, 2, 3]])),
        ("softmax depends on a whole row", lambda: hillock.activation("softmax").slope([1, 2])),
        ("prelu has no slot 'slop'; known: slope", lambda: hillock.activation("prelu")([1], {"slop": 1})),
        ("cannot open nowhere", lambda: hillock.load("nowhere")),
        ("nowhere.db: there is no such file", lambda: hillock.results("nowhere.db")),
        ("/etc/passwd: not a database of results", lambda: hillock.results("/etc/passwd")),
        ("hillock: compare: unknown option --nothing", lambda: hillock.compare(nothing=1)),
        ("the net takes samples of (8, 8, 1)", lambda: hillock.load("mlp.safetensors").predict(numpy.ones((2, 9, 9, 1))))):
    try:
        code()
        raise SystemExit(f"no error: {sentence}")
    except hillock.Error as found:
        assert str(found).startswith(sentence), found
END
}

# By the variable, by the dynamic linker, or not at all; the other cases find it beside the program.
the_library_is_found()
{
    cat >finds.py <<'END' && PATH=/usr/bin:/bin LD_LIBRARY_PATH=$build/lib "$python" finds.py "$build"/lib/libhillock.so.?.?
import os, sys, hillock
def said(path, of=hillock.library):
    os.environ["HILLOCK_LIBRARY"] = path
    hillock.library.cache_clear()
    try:
        of()
    except hillock.Error as found:
        return str(found)
assert said("") is None and said(sys.argv[1]) is None
assert said("/no/lib.so").startswith("libhillock.so.0.2 was not found (/no/lib.so"), said("/no/lib.so")
assert said("libz.so.1") == "libz.so.1 has no hk_version: it is not the library of hillock " + hillock.__version__
assert said("", hillock.program).startswith("there is no program hillock on PATH")
END
}

# By the backend that pip calls; tests/peers/python_parity.py calls pip.
it_is_packed()
{
    cp -r "$source/tools/python" package && cd package &&
        "$python" -c 'import backend; print(backend.build_wheel("."))' && "$python" -m zipfile -t hillock-*.whl &&
        PYTHONPATH=$(echo "$PWD"/hillock-*.whl) "$python" -c 'import hillock; print(hillock.__version__)' >version &&
        [ "hillock $(cat version)" = "$(hillock --version | head -n 1)" ]
}

run all_activations_have_the_programs_bits
run the_pages_examples_are_right
run dense_layers_are_transposed
run errors_are_sentences
run the_library_is_found
run it_is_packed
result
