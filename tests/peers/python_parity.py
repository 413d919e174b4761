"""hillock.py inside PyTorch: gradients against differences, and ResNet-20 trained with its modules.

    python_parity.py BUILD_FOLDER [times]

Every elementwise activation: its module's gradients of values and learned slots against central differences of
its double reference, which `hillock curve` has not: so of its own float values, with the step and the tolerance
that floats allow. ResNet-20 with mish takes the same steps by hillock.py as by F.mish, and a new formula the
same as written in operations of torch. With `times`, a training step of each is timed in alternation; a
verdict never hangs on that.

Needs Debian's python3-torch and python3-numpy; pip is tried where python3-pip is there."""
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["PATH"] = os.path.join(BUILD, "bin") + os.pathsep + os.environ["PATH"]
sys.path.insert(0, os.path.join(SOURCE, "tools", "python"))
sys.dont_write_bytecode = True

import hillock
import numpy
import torch
import torch.nn.functional as F
from torch import nn

FORMULA, STEPS, BATCH = "x*tanh(softplus(1.2*x))", 3, 32
CHANNELS = 3


def difference(f, at, step):
    """d sum(f) / d at by central differences, each element by itself."""
    slope = torch.empty_like(at, dtype=torch.float64)
    for i in range(at.numel()):
        ends = []
        for sign in (1, -1):
            moved = at.clone()
            moved.view(-1)[i] += sign * step
            ends.append((float(moved.view(-1)[i]), f(moved).double().sum().item()))
        (a, fa), (b, fb) = ends
        slope.view(-1)[i] = (fa - fb) / (a - b)
    return slope


def gradients_are_differences(name):
    """The largest share of differences that an element may miss, where no kink lies in the step."""
    of = hillock.activation(name)
    layer = of.torch(channels=CHANNELS).eval()
    x = torch.linspace(-2.95, 3.05, 4 * CHANNELS).reshape(4, CHANNELS).requires_grad_()
    layer(x).sum().backward()
    found = [(x.grad, difference(layer, x.detach(), 4e-3))]
    for slot in of.learned:
        parameter = getattr(layer, slot)

        def moved(value):
            with torch.no_grad():
                kept = parameter.clone()
                parameter.copy_(value)
                y = layer(x.detach())
                parameter.copy_(kept)
            return y
        found.append((parameter.grad, difference(moved, parameter.detach(), 4e-3)))
    return max(float(((a - b).abs() / (1 + b.abs())).max()) for a, b in found)


class Basic(nn.Module):
    def __init__(self, act, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
        self.act1, self.act2 = act(), act()
        self.around = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.norm2(self.conv2(self.act1(self.norm1(self.conv1(x)))))
        return self.act2(y + self.around(x))


def resnet20(act):
    torch.manual_seed(1)
    layers, before = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), act()], 16
    for after in (16, 32, 64):
        for block in range(3):
            layers.append(Basic(act, before, after, 2 if after > before else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Trained:
    """ResNet-20 with this activation, a step at a time."""

    def __init__(self, act, batch):
        self.net = resnet20(act)
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.05, momentum=0.9)
        generator = torch.Generator().manual_seed(2)
        self.x = torch.randn(batch, 3, 32, 32, generator=generator)
        self.labels = torch.randint(10, (batch,), generator=generator)

    def step(self):
        loss = F.cross_entropy(self.net(self.x), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Written(nn.Module):
    """The formula in operations of torch."""

    def forward(self, x):
        return x * torch.tanh(F.softplus(1.2 * x))


def pairs(folder):
    for command in (["new", "activation", "ours", "--formula", FORMULA], ["build", "ours.c"]):
        subprocess.run([hillock.program(), *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    ours = hillock.activation(os.path.join(folder, "ours.so"))
    return {"mish": (hillock.activation("mish").torch, nn.Mish), FORMULA: (ours.torch, Written)}


def times(name, ours, theirs):
    """Ratios of a step, in alternation."""
    nets = Trained(ours, 128), Trained(theirs, 128)
    ratios = []
    for _ in range(12):
        seconds = []
        for net in nets:
            began = time.perf_counter()
            net.step()
            seconds.append(time.perf_counter() - began)
        ratios.append(seconds[1] / seconds[0])
    low, middle, high = statistics.quantiles(ratios[2:], n=4)
    print(f"     {name}: a step takes {middle:.2f} times as long without hillock.py (quartiles {low:.2f} .. {high:.2f}; "
          f"batch 128, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f})", flush=True)


def main():
    counts = [0, 0]

    def check(good, words):
        counts[not good] += 1
        if not good or not words.startswith("-"):
            print(f"{'ok  ' if good else 'FAIL'} {words}", flush=True)

    curves = subprocess.run([os.path.join(BUILD, "bin", "test_function"), "curves"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    misses = {}
    for name in (line.split()[0] for line in curves.splitlines()):
        of = hillock.activation(name)
        if not of._info.traits & 32:  # a surrogate is not the derivative
            misses[name] = gradients_are_differences(name)
    worst = max(misses, key=misses.get)
    for name, miss in misses.items():
        check(miss < 5e-3, f"- {name}: gradients are {miss:.1e} from differences")
    print(f"     {len(misses)} activations, values and slots; the farthest from differences is {worst}, {misses[worst]:.1e}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (ours, theirs) in pairs(folder).items():
            losses = [[net.step() for _ in range(STEPS)] for net in (Trained(ours, BATCH), Trained(theirs, BATCH))]
            apart = max(abs(a / b - 1) for a, b in zip(*losses))
            check(apart < 1e-4, f"resnet20, {name}: {STEPS} losses are {apart:.1e} from PyTorch's own, relative")
            if "times" in sys.argv:
                times(name, ours, theirs)
        if importlib.util.find_spec("pip"):
            subprocess.run(["cp", "-r", os.path.join(SOURCE, "tools", "python"), folder], check=True)
            done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                                   "--target", os.path.join(folder, "site"), os.path.join(folder, "python")])
            check(done.returncode == 0 and os.path.exists(os.path.join(folder, "site", "hillock.py")), "pip install")
        else:
            print("  skipped: pip install (no python3-pip)")
    print(f"peers: {counts[0]} passed, {counts[1]} failed, 0 skipped")
    return counts[1] != 0


if __name__ == "__main__":
    sys.exit(main())
