"""The losses of 20 training steps, here and in PyTorch, from the same weights and batches.

    step_parity.py BUILD_FOLDER

For each case the program step_parity trains, writes its starting weights and its batches and
prints its losses; PyTorch repeats them. The first losses may differ by at most 1e-6, relative, all
of them by what the case allows.

Where relu, prelu or a max pool lies within rounding of its kink, a gradient takes the other side.
Winograd's convolutions round more than PyTorch's, and Adam makes of any gradient a step of full
size: over six seeds of the data, simple_cnn ended between 4e-7 and 3e-4 from PyTorch.

A deep net with relu cannot be held to that at a rate at which it learns: some of its millions of
inputs to relu lie within rounding of 0, each that falls on the other side changes the gradient by
about 1e-3 of itself, and PyTorch in single precision leaves PyTorch in double precision as fast as
we leave both. Such a case must agree in its first loss, and may be at most 4 times as far from
double precision as PyTorch is. The same net with silu, which has no kink, is held to 1e-4.

With oneDNN 3.7.2, which PyTorch takes in Debian 13, the first loss of mobilenet_v3 is 9e-3 from PyTorch's own in
double precision, and without it 2e-9; convnext's losses leave it by 1e-4 in four steps. These two are computed
without it.

Needs Debian's python3-torch and python3-numpy."""
import json
import os
import subprocess
import sys
import tempfile

import numpy
import torch
import torch.nn.functional as F

STEPS = 20
NOT_BY_ONEDNN = ("convnext", "mobilenet_v3")
BY_DOUBLE = None  # judged by the distances from double precision
CASES = [  # model, activation, optimizer, data, height, width, channels, batch, tolerance
    ("simple_cnn", "relu", "adam:lr=0.001", "glyphs", 28, 28, 1, 64, 1e-3),
    ("resnet20", "silu", "sgd:lr=0.1,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 128, 1e-4),
    ("resnet20", "relu", "sgd:lr=0.0005,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 128, 1e-4),
    ("resnet20", "relu", "sgd:lr=0.1,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 128, BY_DOUBLE),
    ("convmixer:width=64", "gelu", "sgd:lr=0.01,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 16, 1e-4),
    ("densenet", "silu", "sgd:lr=0.01,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 16, 1e-4),
    ("convnext", "gelu", "sgd:lr=0.01,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 16, 1e-4),
    ("mobilenet_v3", "silu", "sgd:lr=0.01,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 16, 1e-4),
    ("mobilenet_v3", "relu", "sgd:lr=0.001,momentum=0.9", "glyphs:size=32,channels=3", 32, 32, 3, 16, BY_DOUBLE),
]


def read_safetensors(path):
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: numpy.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], "<f4").reshape(t["shape"])
        for name, t in header.items()
    }


def tensors_of(weights, dtype):
    """Ours in PyTorch's order: filters HWIO -> OIHW, dense weights [in, out] -> [out, in]."""
    turns = {4: (3, 2, 0, 1), 2: (1, 0)}
    return {
        name: torch.tensor(numpy.ascontiguousarray(w.transpose(turns.get(w.ndim, range(w.ndim)))), dtype=dtype)
        for name, w in weights.items()
    }


class Functional:
    """What the models below are written in: parameters by our names, batch norm with its state."""

    def __init__(self, tensors, activation):
        self.act = getattr(F, activation)
        self.hard = F.hardswish if activation == "relu" else self.act  # where MobileNetV3 has it
        self.state = {n: t for n, t in tensors.items() if n.endswith((".mean", ".variance"))}
        self.learned = {n: t.requires_grad_() for n, t in tensors.items() if n not in self.state}

    def conv(self, x, name, stride=1, padding=None):
        weight = self.learned[name + ".weight"]
        padding = weight.shape[2] // 2 if padding is None else padding
        return F.conv2d(x, weight, self.learned.get(name + ".bias"), stride, padding,
                        groups=x.shape[1] // weight.shape[1])

    def norm(self, x, name):
        gamma, beta = self.learned[name + ".norm.gamma"], self.learned[name + ".norm.beta"]
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-5)

    def layer_norm(self, x, name):
        """Over the channels of images, or of rows."""
        gamma, beta = self.learned[name + ".norm.gamma"], self.learned[name + ".norm.beta"]
        return F.layer_norm(x.movedim(1, -1), gamma.shape, gamma, beta, 1e-6).movedim(-1, 1)

    def linear(self, x, name):
        return F.linear(x, self.learned[name + ".weight"], self.learned[name + ".bias"])


def simple_cnn(f, x):
    x = F.max_pool2d(f.act(f.conv(x, "conv1")), 2)
    x = F.max_pool2d(F.prelu(f.conv(x, "conv2"), f.learned["conv2.act.slope"]), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)  # dense weights expect channels last
    return f.linear(f.act(f.linear(x, "fc1")), "fc2")


def resnet20(f, x):
    names = iter(f"conv{i}" for i in range(1, 100))

    def conv_norm(x, stride=1):
        name = next(names)
        return f.norm(f.conv(x, name, stride), name)

    x = f.act(conv_norm(x))
    for stage in range(3):
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = conv_norm(x, stride) if stride == 2 else x
            x = conv_norm(f.act(conv_norm(x, stride)))
            x = f.act(x + shortcut)
    return f.linear(x.mean((2, 3)), "fc1")


def names_of(kind):
    """conv1, conv2, ..., in the order in which layers are recorded."""
    return iter(f"{kind}{i}" for i in range(1, 1000))


def convmixer(f, x):
    names = names_of("conv")

    def finish(x, name, **options):
        return f.norm(f.act(f.conv(x, name, **options)), name)

    x = finish(x, next(names), stride=2, padding=0)
    for _ in range(8):
        x = finish(x, next(names)) + x
        x = finish(x, next(names))
    return f.linear(x.mean((2, 3)), "fc1")


def densenet(f, x):
    names, last = names_of("conv"), "conv1"  # a normalization has the name of the layer before it
    x = f.conv(x, next(names))
    for block in range(3):
        for _ in range(6):
            narrow, wide = next(names), next(names)
            y = f.conv(f.act(f.norm(x, last)), narrow)
            y = f.conv(f.act(f.norm(y, narrow)), wide)
            x, last = torch.cat([y, x], 1), wide
        if block < 2:
            name = next(names)
            x, last = F.avg_pool2d(f.conv(f.act(f.norm(x, last)), name), 2), name
    return f.linear(f.act(f.norm(x, last)).mean((2, 3)), "fc1")


def convnext(f, x):
    names, numbers = names_of("conv"), iter(range(100))

    def each(what):
        return f.learned[what].reshape(-1, 1, 1)

    def biased(x, name, number, **options):
        return f.layer_norm(f.conv(x, name, **options) + each(f"shift{number:03}"), name)

    last = next(names)
    x = biased(x, last, next(numbers), stride=2, padding=0)
    for stage, blocks in enumerate((2, 2, 6, 2)):
        if stage:
            x = f.conv(f.layer_norm(x, last), next(names), 2, 0)
        for _ in range(blocks):
            number = next(numbers)
            y = biased(x, next(names), number)
            y = f.act(f.conv(y, next(names)))
            last = next(names)
            x = f.conv(y, last) * each(f"scale{number:03}") + x
    return f.linear(f.layer_norm(x.mean((2, 3)), last), "fc1")


def mobilenet_v3(f, x):
    """torchvision.models.mobilenet_v3_small, its first stride 1."""
    convs, dense = names_of("conv"), names_of("fc")

    def conv_norm(x, stride=1):
        name = next(convs)
        return f.norm(f.conv(x, name, stride), name)

    x = f.hard(conv_norm(x))
    for expanded, out, excites, is_hard, stride in (
            (16, 16, 1, 0, 2), (72, 24, 0, 0, 2), (88, 24, 0, 0, 1), (96, 40, 1, 1, 2), (240, 40, 1, 1, 1),
            (240, 40, 1, 1, 1), (120, 48, 1, 1, 1), (144, 48, 1, 1, 1), (288, 96, 1, 1, 2), (576, 96, 1, 1, 1),
            (576, 96, 1, 1, 1)):
        act, around = f.hard if is_hard else f.act, x
        if expanded != x.shape[1]:
            x = act(conv_norm(x))
        x = act(conv_norm(x, stride))
        if excites:
            gate = f.act(f.linear(x.mean((2, 3)), next(dense)))
            x = x * F.hardsigmoid(f.linear(gate, next(dense)))[:, :, None, None]
        x = conv_norm(x)
        x = x + around if stride == 1 and out == around.shape[1] else x
    x = f.hard(f.linear(f.hard(conv_norm(x)).mean((2, 3)), next(dense)))
    return f.linear(x, next(dense))


def optimizer_of(spec, parameters):
    name, values = spec.split(":")
    values = {k: float(v) for k, v in (pair.split("=") for pair in values.split(","))}
    return {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[name](parameters, **values)


def train(model, activation, spec, weights, images, labels, dtype):
    f = Functional(tensors_of(weights, dtype), activation)
    optimizer = optimizer_of(spec, f.learned.values())
    losses = []
    for x, label in zip(images, labels):
        loss = F.cross_entropy(model(f, torch.tensor(x, dtype=dtype).permute(0, 3, 1, 2)),
                               torch.tensor(label, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return numpy.array(losses)


def largest(a, b):
    return float(numpy.max(numpy.abs(a - b) / numpy.abs(b)))


def run_ours(program, case):
    """Our losses, and what they came from."""
    model, activation, spec, data, height, width, channels, batch, _ = case
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([program, model, activation, data, spec, str(batch), folder],
                              stdout=subprocess.PIPE, text=True, check=True)
        images = numpy.fromfile(os.path.join(folder, "images"), "<f4")
        labels = numpy.fromfile(os.path.join(folder, "labels"), "<f4")
        weights = read_safetensors(os.path.join(folder, "weights.safetensors"))
    losses = numpy.array([float(line) for line in done.stdout.split()])
    return losses, weights, images.reshape(STEPS, batch, height, width, channels), labels.reshape(STEPS, batch)


def compare(program, case):
    name, activation, spec, tolerance = case[0], case[1], case[2], case[-1]
    ours, *start = run_ours(program, case)
    model = globals()[name.partition(":")[0]]
    torch.backends.mkldnn.enabled = name not in NOT_BY_ONEDNN
    theirs = train(model, activation, spec, *start, torch.float32)
    apart = largest(ours, theirs)
    words = f"largest relative difference {apart:.2g}"
    good = abs(ours[0] / theirs[0] - 1) <= 1e-6
    if tolerance is not BY_DOUBLE:
        good = good and apart <= tolerance
    else:
        double = train(model, activation, spec, *start, torch.float64)
        us, them = largest(ours, double), largest(theirs, double)
        words += f"; from double precision {us:.2g}, PyTorch's own {them:.2g}"
        good = good and us <= 4 * them
    print(f"{'ok  ' if good else 'FAIL'} {name}, {activation}, {spec}: "
          f"loss {ours[0]:.6f} -> {ours[-1]:.6f}, {words}", flush=True)
    return good


def main():
    program = os.path.join(sys.argv[1], "bin", "step_parity")
    good = sum(compare(program, case) for case in CASES)
    print(f"peers: {good} passed, {len(CASES) - good} failed, 0 skipped")
    return good != len(CASES)


if __name__ == "__main__":
    sys.exit(main())
