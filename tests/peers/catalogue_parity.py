"""The catalogue and PyTorch, function by function.

    catalogue_parity.py BUILD_FOLDER

Activations: values and gradients at 10,000 points in [-100, 100] and at special values, against
PyTorch in double precision: values within 5e-7 of themselves or 1e-7, gradients within 1e-6 of
themselves or 5e-7. Normalizations, of features and of weights: values, gradients and running
statistics within 1e-5 of the largest number. Random things: means and deviations within 5 standard
errors of PyTorch's. Each line ends with the largest difference.

Needs Debian's python3-torch and python3-numpy."""
import math
import os
import subprocess
import sys
import tempfile

import numpy
import torch
import torch.nn.functional as F
from torch.nn import init

SPECIAL = [0.0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 3, -3, 6, -6, 1e-30, -1e-30, 1e-40, 20, -20,
           math.inf, -math.inf, math.nan]
RANDOM = numpy.random.default_rng(1)

ACTIVATIONS = {
    "identity": lambda x: x * 1, "relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu,
    "prelu": lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
    "rrelu": F.rrelu, "hardtanh": F.hardtanh, "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish, "hardshrink": F.hardshrink, "softshrink": F.softshrink,
    "tanhshrink": F.tanhshrink, "elu": F.elu, "elu:alpha=0.5": lambda x: F.elu(x, 0.5),
    "celu:alpha=2": lambda x: F.celu(x, 2), "selu": F.selu, "sigmoid": torch.sigmoid,
    "logsigmoid": F.logsigmoid, "tanh": torch.tanh, "softsign": F.softsign,
    "softplus": F.softplus, "silu": F.silu, "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "mish": F.mish, "erf": torch.erf,
    "arctan": torch.atan, "sine:w0=1": torch.sin, "exponential": torch.exp,
}
# Where we mean to differ: hardswish(-inf) is 0 for us and its slope at the kink -3 is that of the
# other side; softshrink of PyTorch 1.13 swallows NaN; our sine stays finite at infinity.
APART = {"hardswish": [-3, -math.inf, math.nan], "softshrink": [math.nan],
         "sine:w0=1": [math.inf, -math.inf]}
ROWWISE = {
    "softmax": lambda x: F.softmax(x, 1), "log_softmax": lambda x: F.log_softmax(x, 1),
    "softmin": lambda x: F.softmin(x, 1), "glu": lambda x: F.glu(x, 1),
}


def ones(n):
    return torch.ones(n, dtype=torch.float64, requires_grad=True)


def zeros(n):
    return torch.zeros(n, dtype=torch.float64, requires_grad=True)


def per_channel(normalized, gamma, beta):
    """Ours has a scale and shift per channel whatever the mean is taken over."""
    return normalized * gamma[:, None, None] + beta[:, None, None]


# name: function of x[n, c, h, w], gamma, beta; which slots the plugin has
NORMALIZATIONS = {
    "batch_norm": (lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True), 2),
    "layer_norm": (lambda x, g, b: per_channel(F.layer_norm(x, x.shape[1:]), g, b), 2),
    "layer_norm:over=channels": (lambda x, g, b: F.layer_norm(
        x.permute(0, 2, 3, 1), x.shape[1:2], g, b).permute(0, 3, 1, 2), 2),
    "instance_norm:affine=yes": (lambda x, g, b: F.instance_norm(x, weight=g, bias=b), 2),
    "group_norm:groups=4": (lambda x, g, b: F.group_norm(x, 4, g, b), 2),
    "local_response_norm": (lambda x, g, b: F.local_response_norm(x, 5), 0),
    "local_response_norm:size=4,alpha=0.5,k=2": (
        lambda x, g, b: F.local_response_norm(x, 4, 0.5, 0.75, 2), 0),
    "unit_norm": (lambda x, g, b: F.normalize(x, dim=1), 0),
}

INITIALIZERS = {
    "uniform": lambda w: init.uniform_(w, -0.05, 0.05),
    "normal": lambda w: init.normal_(w, 0, 0.01),
    "trunc_normal": lambda w: init.trunc_normal_(w, 0, 0.05, -0.1, 0.1),
    "xavier_uniform": init.xavier_uniform_, "xavier_normal": init.xavier_normal_,
    "kaiming_uniform": lambda w: init.kaiming_uniform_(w, nonlinearity="relu"),
    "kaiming_normal": lambda w: init.kaiming_normal_(w, nonlinearity="relu"),
    "orthogonal": init.orthogonal_, "dirac": init.dirac_, "zeros": init.zeros_, "ones": init.ones_,
    "constant:value=0.3": lambda w: init.constant_(w, 0.3),
    "torch_default": lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)),
}
DROPOUTS = {
    "dropout": F.dropout, "alpha_dropout": lambda x, p: F.alpha_dropout(x, p, True),
    "channel_dropout": F.dropout2d, "channel_alpha_dropout":
        lambda x, p: F.feature_alpha_dropout(x, p, True),
}

compared = failures = 0


def report(kind, spec, good, text):
    global compared, failures
    compared += 1
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {kind:14} {spec:42} {text}", flush=True)


def ours(program, kind, spec, shape, x=None, dy=None):
    with tempfile.TemporaryDirectory() as folder:
        for name, values in (("x", x), ("dy", dy)):
            if values is not None:
                values.astype("<f4").tofile(os.path.join(folder, name))
        subprocess.run([program, kind, spec, *map(str, shape), folder], check=True)
        return numpy.fromfile(os.path.join(folder, "out"), "<f4").astype(float)


def parts(flat, *sizes):
    """The first arrays of these sizes; a last size of 0 is the rest."""
    ends = numpy.cumsum(sizes)
    return numpy.split(flat, ends[:-1])


def excess(found, expected, relative, absolute):
    """The largest difference, and the largest as a multiple of what is allowed."""
    same = (found == expected) | (numpy.isnan(found) & numpy.isnan(expected))
    with numpy.errstate(invalid="ignore"):
        apart = numpy.where(same, 0, numpy.abs(found - expected))
        allowed = numpy.where(numpy.isfinite(expected), relative * numpy.abs(expected), 0) + absolute
    apart = numpy.where(numpy.isnan(apart), numpy.inf, apart)
    return apart.max(), (apart / allowed).max()


def compare_activation(program, spec, function, shape, x):
    t = torch.tensor(x.reshape(shape[0], -1), dtype=torch.float64, requires_grad=True)
    y = function(t)
    dy = RANDOM.standard_normal(y.numel()) if spec in ROWWISE else numpy.ones(y.numel())
    dy = dy.astype("f4")
    y.backward(torch.tensor(dy, dtype=torch.float64).reshape(y.shape))
    found, dx, _ = parts(ours(program, "act", spec, shape, x, dy), y.numel(), x.size, 0)
    rounding = 3e-5 if spec in ROWWISE else 0  # of sums and differences of numbers up to 200
    values = excess(found, y.detach().numpy().ravel(), 5e-7, 1e-7 + rounding)
    finite = numpy.isfinite(x)
    slopes = excess(dx[finite], t.grad.numpy().ravel()[finite], 1e-6, 5e-7 + rounding / 10)
    report("activation", spec, values[1] <= 1 and slopes[1] <= 1,
           f"values {values[0]:.1e}, gradients {slopes[0]:.1e}")


def compare_activations(program):
    x = numpy.concatenate([numpy.linspace(-100, 100, 10000), SPECIAL]).astype("f4")
    for spec, function in ACTIVATIONS.items():
        points = x[x < 88] if spec == "exponential" else x
        points = points[~numpy.isin(points, APART.get(spec, []))]
        if math.nan in APART.get(spec, []):
            points = points[~numpy.isnan(points)]
        compare_activation(program, spec, function, (points.size, 1, 1, 1), points)
    rows = RANDOM.uniform(-100, 100, (1000, 10)).astype("f4")
    rows[:500] /= 25
    for spec, function in ROWWISE.items():
        compare_activation(program, spec, function, (1000, 1, 1, 10), rows.ravel())


def worst(found, expected):
    return max(float(numpy.abs(a - b).max() / max(1, numpy.abs(b).max()))
               for a, b in zip(found, expected))


def compare_normalizations(program):
    n, h, w, c = shape = 6, 5, 4, 8
    x = RANDOM.normal(1, 2, shape).astype("f4")
    dy = RANDOM.standard_normal(shape).astype("f4")
    last = lambda t: t.permute(0, 2, 3, 1).detach().numpy().ravel()
    for spec, (function, slots) in NORMALIZATIONS.items():
        t = torch.tensor(x, dtype=torch.float64).permute(0, 3, 1, 2).contiguous().requires_grad_()
        gamma, beta = ones(c), zeros(c)
        y = function(t, gamma, beta)
        y.backward(torch.tensor(dy, dtype=torch.float64).permute(0, 3, 1, 2))
        expected = [last(y), last(t.grad)] + [s.grad.numpy() for s in (gamma, beta)[:slots]]
        if spec == "batch_norm":
            mean, variance = zeros(c).detach(), ones(c).detach()
            F.batch_norm(t.detach(), mean, variance, training=True)
            expected += [mean.numpy(), variance.numpy(),
                         last(F.batch_norm(t.detach(), mean, variance))]
        found = parts(ours(program, "norm", spec, shape, x, dy), *[e.size for e in expected], 0)
        apart = worst(found, expected)
        report("normalization", spec, apart <= 1e-5, f"{apart:.1e}")


def compare_weights(program):
    rows, c = 54, 20
    w = RANDOM.standard_normal((rows, c)).astype("f4")
    dy = RANDOM.standard_normal((rows, c)).astype("f4")
    layer = torch.nn.Linear(rows, c, bias=False, dtype=torch.float64)
    layer.weight.data = torch.tensor(w.T, dtype=torch.float64)
    layer = torch.nn.utils.weight_norm(layer)
    y = layer(torch.eye(rows, dtype=torch.float64))
    y.backward(torch.tensor(dy, dtype=torch.float64))
    expected = [y.detach().numpy().ravel(), layer.weight_v.grad.T.numpy().ravel(),
                layer.weight_g.grad.numpy().ravel()]
    found = parts(ours(program, "weight", "weight_norm", (rows, 1, 1, c), w, dy), w.size, w.size, c)
    apart = worst(found, expected)
    report("weight", "weight_norm", apart <= 1e-5, f"{apart:.1e}")

    y, dw, u, v = parts(ours(program, "weight", "spectral_norm", (rows, 1, 1, c), w, dy),
                        w.size, w.size, c, rows)
    layer = torch.nn.Linear(rows, c, bias=False, dtype=torch.float64)
    layer.weight.data = torch.tensor(w.T, dtype=torch.float64)
    layer = torch.nn.utils.parametrizations.spectral_norm(layer).eval()  # no iteration
    state = layer.parametrizations.weight[0]
    state._u.copy_(torch.tensor(u))
    state._v.copy_(torch.tensor(v))
    theirs = layer(torch.eye(rows, dtype=torch.float64))
    theirs.backward(torch.tensor(dy, dtype=torch.float64))
    original = layer.parametrizations.weight.original
    apart = worst([y, dw], [theirs.detach().numpy().ravel(), original.grad.T.numpy().ravel()])
    largest = numpy.linalg.svd(y.reshape(rows, c), compute_uv=False)[0]
    report("weight", "spectral_norm", apart <= 1e-5 and abs(largest - 1) < 0.05,
           f"{apart:.1e}, largest singular value {largest:.4f}")


def alike(a, b, n_a, n_b):
    """Means and deviations of two samples in standard errors; n: independent numbers."""
    error = math.sqrt(a.var() / n_a + b.var() / n_b) or 1e-30
    kurtosis = max(((b - b.mean()) ** 4).mean() / max(b.var(), 1e-60) ** 2 - 1, 0)
    spread = b.var() * math.sqrt(kurtosis * (1 / n_a + 1 / n_b)) or 1e-30
    return max(abs(a.mean() - b.mean()) / error, abs(a.var() - b.var()) / spread)


def compare_initializers(program):
    k, inputs, outputs = 3, 16, 64
    size = k * k * inputs * outputs
    for spec, function in INITIALIZERS.items():
        flat = ours(program, "init", spec, (k, inputs, 1, outputs))
        w = flat[:size].reshape(k, k, inputs, outputs).transpose(3, 2, 0, 1)
        theirs = function(torch.empty(outputs, inputs, k, k, dtype=torch.float64)).numpy()
        if spec.split(":")[0] in ("dirac", "zeros", "ones", "constant"):
            apart = float(numpy.abs(w - theirs).max())
            report("initializer", spec, apart <= 1e-7, f"{apart:.1e}")
        elif spec == "orthogonal":
            flat = w.reshape(outputs, -1)
            apart = float(numpy.abs(flat @ flat.T - numpy.eye(outputs)).max())
            report("initializer", spec, apart <= 1e-6, f"{apart:.1e} from orthonormal")
        else:
            apart = alike(w, theirs, size, size)
            report("initializer", spec, apart <= 5, f"{apart:.1f} standard errors")
    bias = flat[size:] if spec == "torch_default" else None
    theirs = torch.nn.Conv2d(inputs, 4096, k).bias.detach().numpy()
    apart = alike(bias, theirs, bias.size, theirs.size)
    report("initializer", "torch_default, bias", apart <= 5, f"{apart:.1f} standard errors")


def compare_random(program):
    n, h, w, c = shape = 100, 6, 6, 50
    x = RANDOM.standard_normal(shape).astype("f4")
    t = torch.tensor(x).permute(0, 3, 1, 2)
    for kind, function in DROPOUTS.items():
        y = parts(ours(program, kind, "0.3", shape, x, numpy.ones(x.size)), x.size, x.size)[0]
        units = n * c if "channel" in kind else x.size
        apart = alike(y, function(t, 0.3).numpy(), units, units)
        report("dropout", kind, apart <= 5, f"{apart:.1f} standard errors")
    x = -numpy.ones(shape)
    y = parts(ours(program, "act-training", "rrelu", shape, x, x), x.size, x.size)[0]
    apart = alike(y, F.rrelu(torch.tensor(x), training=True).numpy(), x.size, x.size)
    report("activation", "rrelu in training", apart <= 5, f"{apart:.1f} standard errors")


def main():
    torch.manual_seed(1)
    program = os.path.join(sys.argv[1], "bin", "catalogue_parity")
    for compare in (compare_activations, compare_normalizations, compare_weights,
                    compare_initializers, compare_random):
        compare(program)
    print(f"peers: {compared - failures} passed, {failures} failed, 0 skipped")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
