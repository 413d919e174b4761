"""A saved net, read by docs/format.md alone.

    saved_parity.py BUILD_FOLDER

Shares no code with Hillock: the header, the digest, every tensor and the graph are read here, and the net
is evaluated with numpy. Tensors are the same bits; outputs within 1e-5 of the largest.

Needs Debian's python3-numpy."""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy

TYPES = {"F32": "<f4"}


def read(path):
    """Tensors by name, metadata."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    meta = header.pop("__metadata__")
    tensors = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name} leaves a hole"
        end = stop
        values = numpy.frombuffer(data[8 + length + begin:8 + length + stop], TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    assert 8 + length + end == len(data), "bytes behind the last tensor"
    digest = meta["hk.digest"]
    blank = data.replace(b'"hk.digest":"' + digest.encode(), b'"hk.digest":"' + b"0" * 64)
    assert hashlib.sha256(blank).hexdigest() == digest, "digest"
    return tensors, meta


def window(size, out, kernel, stride, padding, pad):
    """Zeroes before and behind, so that `out` places fit."""
    whole = max((out - 1) * stride + kernel - size, 0)
    before = {0: whole // 2, 1: 0, 2: pad}[padding]
    return before, max(whole - before, 0)


def patches(x, kernel, node, value):
    """[n, h, w, kernel, kernel, c] of the places of the result."""
    n, height, width, channels = x.shape
    shape = node["shape"]
    stride = node["stride"] or 1
    sides = [window(size, out, k, stride, node["padding"], node["pad"])
             for size, out, k in zip((height, width), shape[1:3], kernel)]
    x = numpy.pad(x, [(0, 0), *sides, (0, 0)], constant_values=value)
    return numpy.stack([numpy.stack([
        x[:, i:i + stride * shape[1]:stride, j:j + stride * shape[2]:stride][:, :shape[1], :shape[2]]
        for j in range(kernel[1])], 3) for i in range(kernel[0])], 3)


def conv2d(node, x, filters, bias=0):
    groups = max(node["groups"], 1)
    assert node["dilation"] in (0, 1)
    parts = [numpy.einsum("nhwijc,ijcf->nhwf", part, some) for part, some in
             zip(numpy.split(patches(x, filters.shape[:2], node, 0), groups, 5),
                 numpy.split(filters, groups, 3))]
    return numpy.concatenate(parts, 3) + bias


def maxpool(node, x):
    return patches(x, (node["size"], node["size"]), node, -numpy.inf).max((3, 4))


def use(node):
    name, _, options = node["use"].partition(":")
    return name, dict(pair.split("=") for pair in options.split(",") if pair)


def normalization(node, x, gamma, beta, mean, variance):
    name, options = use(node)
    assert name == "batch_norm"
    return (x - mean) / numpy.sqrt(variance + float(options.get("eps", 1e-5))) * gamma + beta


def activation(node, x, slope=None):
    name, options = use(node)
    if name == "elu":
        return numpy.where(x > 0, x, float(options.get("alpha", 1)) * numpy.expm1(x))
    return numpy.where(x > 0, x, {"relu": 0, "prelu": slope}[name] * x)


OPERATIONS = {
    "conv2d": conv2d, "maxpool": maxpool, "normalization": normalization, "activation": activation,
    "matmul": lambda node, x, weight, bias=0: x @ weight + bias,
    "reshape": lambda node, x: x.reshape(node["shape"]),
    "add": lambda node, a, b: a + b,
}


def evaluate(graph, tensors, x):
    assert graph["version"] == 1
    made = {}
    for place, node in enumerate(graph["tensors"]):
        if node["op"] == "input":
            made[place] = x.reshape(node["shape"])
        elif node["op"] in ("parameter", "state"):
            made[place] = tensors[node["name"]].astype(float)
            assert list(made[place].shape) == node["shape"]
        elif node["op"] == "constant":
            made[place] = tensors[f"hk.constant.{place}"].astype(float)
    for place, node in enumerate(graph["tensors"]):
        if node["op"] in OPERATIONS:
            node["shape"][0] = len(x)
            made[place] = OPERATIONS[node["op"]](node, *(made[i] for i in node["inputs"]))
            assert list(made[place].shape) == node["shape"], (node["op"], made[place].shape)
    return made[graph["output"]]


def main():
    failures = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.safetensors")
        program = os.path.join(sys.argv[1], "bin", "saved_parity")
        said = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout
        expected = {line.split()[0]: numpy.array(line.split()[1:], "f4") for line in said.splitlines()}
        tensors, meta = read(path)
    x, y = expected.pop("input").reshape(2, -1), expected.pop("output")
    assert expected.keys() == tensors.keys()
    for name, values in expected.items():
        good = numpy.array_equal(values, tensors[name].ravel())
        compared += 1
        failures += not good
        print(f"{'ok  ' if good else 'FAIL'} {name} {list(tensors[name].shape)}")
    found = evaluate(json.loads(meta["hk.graph"]), tensors, x).ravel()
    apart = abs(found - y).max() / abs(y).max()
    compared += 1
    failures += not apart < 1e-5
    print(f"{'ok  ' if apart < 1e-5 else 'FAIL'} the graph, evaluated: {apart:.1e} of the largest output")
    print(f"peers: {compared - failures} passed, {failures} failed, 0 skipped")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
