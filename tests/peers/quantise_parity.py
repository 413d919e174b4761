"""Nets in whole steps against docs/quantising.md, in numpy and double precision.

    quantise_parity.py BUILD_FOLDER [IMAGES]

Trains lenet5, simple_cnn and resnet20 with six activations, evaluates them by `evaluate --quantise` as
int8 and int4, and does the same here, from the saved file and the page alone (saved_parity.py reads
both): ranges, steps, units that become constant, loss and accuracy on IMAGES test images (500).

A sum that lies between two steps within the rounding of a float falls on either, and in a deep net the step goes
on through the layers behind it. How much that is, the reference says itself: it runs again with each tensor
rounded otherwise by about a float's last bit, DRAWS times, and Hillock's loss may be as far from it as a few of
those are. Data: ../shared/data beside the sources; skipped without. Needs Debian's python3-numpy."""
import gzip
import json
import os
import subprocess
import sys
import tempfile

import numpy

import saved_parity

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "data")
NETS = [("lenet5", "mnist"), ("simple_cnn", "mnist"), ("resnet20", "cifar-10")]
ACTIVATIONS = ["relu", "relu6", "elu", "silu", "tanh", "mish"]
TRAIN = 2000
DRAWS = 4
LAST_BIT = 2.0 ** -24


def activation(node, x, slope=None):
    name, options = saved_parity.use(node)
    sigmoid = 1 / (1 + numpy.exp(-x)) if name == "silu" else None
    if name == "relu6":
        return numpy.clip(x, 0, 6)
    if name == "silu":
        return x * sigmoid
    if name == "tanh":
        return numpy.tanh(x)
    if name == "mish":
        return x * numpy.tanh(numpy.logaddexp(0, x))
    return saved_parity.activation(node, x, slope)


def avgpool(node, x):
    ones = numpy.ones(x.shape[1:3])[None, :, :, None]
    kernel = (node["size"], node["size"])
    return (saved_parity.patches(x, kernel, node, 0).sum((3, 4)) /
            saved_parity.patches(ones, kernel, node, 0).sum((3, 4)))


def mean(node, x):
    axes = tuple(i for i in range(x.ndim) if node["axes"] >> i & 1) or None
    assert node["mean"]
    return x.mean(axes, keepdims=True)


OPERATIONS = dict(saved_parity.OPERATIONS, activation=activation, avgpool=avgpool, sum=mean)
DROPOUTS = ("dropout", "drop path", "alpha dropout")
MOVES = ("reshape", "maxpool")


def in_steps(x, scale, low, high):
    return scale * numpy.clip(numpy.rint(x / scale), low, high)


class Net:
    """A graph whose tensors may be changed as they are computed."""

    def __init__(self, tensors, meta):
        self.nodes = json.loads(meta["hk.graph"])
        self.tensors = tensors
        self.output = self.nodes["output"]
        self.nodes = self.nodes["tensors"]
        self.products = [i for i, n in enumerate(self.nodes) if n["op"] in ("conv2d", "matmul")]
        parts = {self.origin(self.nodes[i]["inputs"][0]) for i in self.products}
        self.acts = [i for i, n in enumerate(self.nodes) if n["op"] == "activation"]
        read = {i for n in self.nodes for i in n.get("inputs", [])}
        self.parts = sorted(parts | {i for i in self.acts if i in read})

    def origin(self, i):
        while self.nodes[i]["op"] in MOVES:
            i = self.nodes[i]["inputs"][0]
        return i

    def run(self, x, weights={}, steps={}, noise=None):
        """noise: a generator of numbers, by which each tensor is off before it falls into steps."""
        made, seen = {}, {}
        for i, node in enumerate(self.nodes):
            if node["op"] == "input":
                made[i] = x.reshape([len(x), *node["shape"][1:]])
            elif node["op"] in ("parameter", "state"):
                made[i] = self.tensors[node["name"]].astype(float)
            elif node["op"] in DROPOUTS:
                made[i] = made[node["inputs"][0]]
            elif node["op"] in OPERATIONS:
                node["shape"][0] = len(x)
                inputs = [made[k] for k in node["inputs"]]
                if i in weights:
                    inputs[1] = weights[i]
                made[i] = OPERATIONS[node["op"]](node, *inputs)
                if noise:
                    made[i] = made[i] * (1 + LAST_BIT * noise.standard_normal(made[i].shape))
            if i in steps:
                made[i] = in_steps(made[i], *steps[i])
            if i in self.parts:
                rows = made[i].reshape(-1, made[i].shape[-1])
                seen[i] = rows.min(0), rows.max(0)
        return made[self.output], seen


def in_batches(net, x, **how):
    logits, low, high = [], {}, {}
    for first in range(0, len(x), 100):
        y, seen = net.run(x[first:first + 100], **how)
        logits.append(y)
        for i, (a, b) in seen.items():
            low[i] = numpy.minimum(low.get(i, a), a)
            high[i] = numpy.maximum(high.get(i, b), b)
    return numpy.concatenate(logits), low, high


def quantised(net, bits, per_channel, calibration, test):
    _, low, high = in_batches(net, calibration)
    most, half, weights, steps, ranges = 2 ** bits - 1, 2 ** (bits - 1) - 1, {}, {}, []
    for i in net.products:
        weight = net.tensors[net.nodes[net.nodes[i]["inputs"][1]]["name"]]
        largest = abs(weight).max(tuple(range(weight.ndim - 1)) if per_channel else None)
        scale = (numpy.maximum(largest, 1e-38) / numpy.float32(half)).astype("f4")
        weights[i] = in_steps(weight, scale, -half, half).astype(float)
    for i in net.parts:
        least, largest = min(low[i].min(), 0), max(high[i].max(), 0)
        scale = float(numpy.float32((largest - least) / most))
        below = int(numpy.rint(-least / scale))
        steps[i] = scale, -below, most - below
        ranges.append((least, largest))
    _, low_now, high_now = in_batches(net, calibration, weights=weights, steps=steps)
    constant = sum(int(((low_now[i] == high_now[i]) & (low[i] != high[i])).sum())
                   for i in net.parts if i in net.acts)
    logits = [in_batches(net, test, weights=weights, steps=steps, noise=noise)[0]
              for noise in [None] + [numpy.random.default_rng(k) for k in range(DRAWS)]]
    return logits, ranges, constant


def data(name, images):
    """Raw images as floats of 0 to 255, and labels: training, test."""
    if name == "mnist":
        def idx(file, head):
            with gzip.open(os.path.join(DATA, name, file)) as f:
                return numpy.frombuffer(f.read(), "u1")[head:]
        return [(idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)[:n],
                 idx(f"{part}-labels-idx1-ubyte.gz", 8)[:n])
                for part, n in (("train", TRAIN), ("t10k", images))]
    result = []
    for part, n in (("data_batch_1", TRAIN), ("test_batch", images)):
        rows = numpy.fromfile(os.path.join(DATA, name, part + ".bin"), "u1").reshape(-1, 3073)[:n]
        result.append((rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0]))
    return result


def hillock(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def cross_entropy(logits, y):
    peak = logits.max(1, keepdims=True)
    return (numpy.log(numpy.exp(logits - peak).sum(1)) + peak[:, 0] -
            logits[numpy.arange(len(y)), y]).mean()


def compare(program, folder, model, act, x, y, spec):
    path, source = os.path.join(folder, f"{model}-{act}.safetensors"), "npz:" + folder
    if not os.path.exists(path):
        hillock(program, "train", model, "--act", act, "--data", source, "--epochs", "1", "--out", path,
                "--no-probes")
    said = json.loads(hillock(program, "evaluate", path, "--data", source, "--quantise", spec, "--json"))
    tensors, meta = saved_parity.read(path)
    card = json.loads(meta["hk.card"])
    x = [((part.astype("f4") - numpy.array(card["mean"], "f4")) /
          numpy.array(card["deviation"], "f4")).astype(float) for part in x]
    q = said["quantised"]
    logits, ranges, constant = quantised(Net(tensors, meta), q["bits"], q["per_channel"],
                                         x[0][:q["images"]], x[1])
    loss, *rounded = [cross_entropy(each, y) for each in logits]
    by_rounding = max(abs(other - loss) for other in rounded)
    accuracy = (logits[0].argmax(1) == y).mean()
    apart = max(abs(part[end] - own[k]) / max(abs(own[0]), abs(own[1]))
                for part, own in zip(q["parts"], ranges) for k, end in enumerate(("low", "high")))
    moved = abs(said["test_loss"] - loss)
    good = (len(q["parts"]) == len(ranges) and apart < 2e-6 and moved < 1e-6 * loss + 4 * by_rounding and
            abs(q["constant"] - constant) <= 1 and abs(said["test_accuracy"] - accuracy) <= 3 / len(y))
    print(f"{'ok  ' if good else 'FAIL'} {model} {act} {spec}: ranges {apart:.1e}, loss {loss:.6f} "
          f"{said['test_loss'] - loss:+.1e} (by rounding {by_rounding:.1e}), accuracy {100 * accuracy:.2f} "
          f"{100 * (said['test_accuracy'] - accuracy):+.2f}, constant {constant} "
          f"{q['constant'] - constant:+d}", flush=True)
    return good, moved / loss


def main():
    program, images = os.path.join(sys.argv[1], "bin", "hillock"), int((sys.argv + [500])[2])
    results = []
    if not os.path.isdir(DATA):
        print(f"SKIP {DATA} is not there\npeers: 0 passed, 0 failed, 1 skipped")
        return 0
    for model, source in NETS:
        parts = data(source, images)
        with tempfile.TemporaryDirectory() as folder:
            for part, (x, y) in zip(("train", "test"), parts):
                numpy.save(os.path.join(folder, f"x_{part}.npy"), x)
                numpy.save(os.path.join(folder, f"y_{part}.npy"), y.astype("i8"))
            for act in ACTIVATIONS:
                for spec in ("int8", "int4:per=channel"):
                    results.append(compare(program, folder, model, act, [x for x, _ in parts],
                                           parts[1][1].astype(int), spec))
    passed = sum(good for good, _ in results)
    moved = sorted(m for _, m in results)
    print(f"loss, relative: median {moved[len(moved) // 2]:.1e}, most {moved[-1]:.1e}")
    print(f"peers: {passed} passed, {len(results) - passed} failed, 0 skipped")
    return passed != len(results)


if __name__ == "__main__":
    sys.exit(main())
