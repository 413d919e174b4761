"""hillock export against those who read it: six models with ten activations.

    export_parity.py BUILD_FOLDER
    export_parity.py BUILD_FOLDER --make FOLDER     nets and their exports, nothing else
    export_parity.py --compare FOLDER               what was made there, on any machine

ONNX: onnx.checker; ONNX Runtime, or the reference evaluator where there is none. C: clean under -Wall
-Wextra -Werror with every compiler of gcc, clang and arm-linux-gnueabihf-gcc (run by qemu-arm, with one
activation) that is there. PyTorch: the net evaluated by its graph, in float and in double, with the arrays of
--torch; taken back, they give the same bits. .npz holds the same arrays. Distances are shares of the largest
logit, from PyTorch's in double, Hillock's own too; where there is no PyTorch, from Hillock's. Sums of floats
in another order are up to 3e-6 apart.

Needs Debian's python3-numpy; of python3-onnx, python3-onnxruntime and python3-torch what is there."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy
except ImportError:
    numpy = None  # --make does without

MODELS = {
    "mlp:width=64,depth=3": "glyphs:train=64,test=16",
    "lenet5": "glyphs:train=64,test=16",
    "simple_cnn": "glyphs:train=64,test=16",
    "resnet20": "glyphs:train=64,test=16,size=16,channels=3",
    "mobilenet": "glyphs:train=64,test=16,size=32,channels=3",
    "densenet": "glyphs:train=64,test=16,size=16,channels=3",
}
ACTIVATIONS = ["relu", "prelu", "mish", "gelu", "elu:alpha=0.5", "swish", "selu", "snake", "lgb:k=2",
               "hardswish"]
COMPILERS = {"gcc": [], "clang": [], "arm-linux-gnueabihf-gcc": ["qemu-arm", "-L", "/usr/arm-linux-gnueabihf"]}
SUMS = 3e-6
failed = []


def say(text, good=True):
    print(("ok   " if good else "FAIL ") + text)
    if not good:
        failed.append(text)


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def cases():
    return [(f"{model.split(':')[0]}_{act.split(':')[0]}", model, act)
            for model in MODELS for act in ACTIVATIONS]


def make(build, folder):
    tool = os.path.join(build, "bin", "hillock")
    for name, model, act in cases():
        base = os.path.join(folder, name)
        run(tool, "train", model, "--data", MODELS[model], "--act", act, "--epochs", "1", "--batch", "16",
            "--no-probes", "--out", base + ".safetensors")
        run(tool, "export", base + ".safetensors", "--onnx", base + ".onnx", "--c", base + ".c",
            "--torch", base + ".pt.safetensors", "--npz", base + ".npz")
        same = run(os.path.join(build, "bin", "export_parity"), base + ".safetensors", base + ".raw",
                   base + ".logits", base + ".pt.safetensors")
        say(f"{name}: taken back, {same.strip()}", same.strip() == "the same bits")


def header(path):
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8:8 + length]), data[8 + length:]


def tensors(path):
    table, data = header(path)
    table.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[entry["data_offsets"][0]:entry["data_offsets"][1]],
                                   "<f4").reshape(entry["shape"]) for name, entry in table.items()}


def distance(found, expected):
    return float(numpy.max(numpy.abs(found - expected)) / numpy.max(numpy.abs(expected)))


def compare_onnx(base, raw, logits):
    try:
        import onnx
    except ImportError:
        return None
    onnx.checker.check_model(onnx.load(base + ".onnx"), full_check=True)
    images = raw.transpose(0, 3, 1, 2) if raw.ndim == 4 else raw
    try:
        import onnxruntime
        session = onnxruntime.InferenceSession(base + ".onnx", providers=["CPUExecutionProvider"])
    except ImportError:
        try:
            from onnx.reference import ReferenceEvaluator
        except ImportError:
            return None
        session = ReferenceEvaluator(base + ".onnx")
    return distance(session.run(None, {"input": images})[0], logits)


def compare_c(base, compiler, runner, raw, logits):
    name = os.path.basename(base)
    program = base + "." + compiler
    run(compiler, "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", f"-D{name}_MAIN", base + ".c", "-o",
        program, "-lm", *(["-static"] if runner else []))
    text = " ".join(f"{value:.9g}" for value in raw.ravel())
    out = run(*runner, program, input=text)
    os.unlink(program)
    return distance(numpy.array(out.split(), "f4").reshape(logits.shape), logits)


def activation(spec, x, slots, torch):
    """By PyTorch's own functions, where it has them. Slots: [c], in the plugin's order."""
    f = torch.nn.functional
    name, _, given = spec.partition(":")
    given = dict(item.split("=") for item in given.split(",") if item)
    slots = [slot.reshape([1, -1] + [1] * (x.ndim - 2)) for slot in slots]
    return {"relu": lambda: f.relu(x),
            "prelu": lambda: f.prelu(x, slots[0].ravel()),
            "mish": lambda: f.mish(x),
            "gelu": lambda: f.gelu(x),
            "elu": lambda: f.elu(x, float(given.get("alpha", 1))),
            "swish": lambda: x * torch.sigmoid(slots[0] * x),
            "selu": lambda: f.selu(x),
            "snake": lambda: x + torch.sin(slots[0] * x) ** 2 / slots[0],
            "lgb": lambda: torch.sigmoid(float(given.get("k", 1)) * (x - slots[0])),
            "hardswish": lambda: f.hardswish(x),
            "relu6": lambda: f.relu6(x)}[name]()


def sides(size, out, kernel, stride, node):
    whole = max((out - 1) * stride + kernel - size, 0)
    before = {0: whole // 2, 1: 0, 2: node["pad"]}[node["padding"]]
    return before, max(whole - before, 0)


def padded(x, node, kernel, dilation, stride, value, torch):
    (top, below), (left, right) = [
        sides(size, out, (k - 1) * dilation + 1, stride, node)
        for size, out, k in zip(x.shape[2:], node["shape"][1:3], kernel)]
    return torch.nn.functional.pad(x, (left, right, top, below), value=value)


PYTORCHS = {".norm.gamma": ".norm.weight", ".norm.beta": ".norm.bias", ".act.slope": ".act.weight"}


def evaluate_torch(base, raw, is_double):
    """Logits, or None."""
    try:
        import torch
    except ImportError:
        return None
    f, real = torch.nn.functional, torch.float64 if is_double else torch.float32
    own, _ = header(base + ".safetensors")
    meta = own["__metadata__"]
    assert header(base + ".pt.safetensors")[0]["__metadata__"]["format"] == "pt"
    arrays = {name: torch.tensor(value).to(real) for name, value in tensors(base + ".pt.safetensors").items()}
    card = json.loads(meta["hk.card"])
    graph = json.loads(meta["hk.graph"])
    values = []

    def leaf(name):
        for ours, theirs in PYTORCHS.items():
            if name.endswith(ours):
                return arrays[name[:-len(ours)] + theirs]
        return arrays[name]

    for node in graph["tensors"]:
        op, inputs = node["op"], node.get("inputs", [])
        of = [values[i] for i in inputs]
        if op == "input":
            x = (raw - numpy.array(card["mean"], "f4")) / numpy.array(card["deviation"], "f4")
            y = torch.tensor(x.transpose(0, 3, 1, 2) if x.ndim == 4 else x).to(real)
        elif op in ("parameter", "state"):
            y = leaf(node["name"])
        elif op == "conv2d":
            stride, dilation = node["stride"] or 1, node["dilation"] or 1
            y = f.conv2d(padded(of[0], node, of[1].shape[2:], dilation, stride, 0, torch), of[1],
                         of[2] if len(of) > 2 else None, stride=stride, dilation=dilation,
                         groups=node["groups"] or 1)
        elif op == "matmul":
            y = f.linear(of[0], of[1], of[2] if len(of) > 2 else None)
        elif op == "maxpool":
            stride = node["stride"] or 1
            y = f.max_pool2d(padded(of[0], node, [node["size"]] * 2, 1, stride, -numpy.inf, torch),
                             node["size"], stride)
        elif op == "avgpool":
            stride = node["stride"] or 1
            y = f.avg_pool2d(padded(of[0], node, [node["size"]] * 2, 1, stride, 0, torch),
                             node["size"], stride)
        elif op == "normalization":
            assert node["use"] == "batch_norm"
            y = f.batch_norm(of[0], of[3], of[4], of[1], of[2], eps=1e-5)
        elif op == "activation":
            y = activation(node["use"], of[0], of[1:], torch)
        elif op == "reshape":
            y = of[0].reshape(node["shape"])
        elif op == "add":
            y = of[0] + of[1]
        elif op == "concat":
            y = torch.cat(of[:2], 1)
        elif op == "sum":
            axes = [(0, 2, 3, 1)[i] for i in range(4) if node["axes"] >> i & 1]
            y = of[0].mean(axes, keepdim=True) if node["mean"] else of[0].sum(axes, keepdim=True)
        elif op in ("dropout", "unused"):
            y = of[0] if of else None
        else:
            raise ValueError(op)
        values.append(y)
    return values[graph["output"]].detach().numpy()


def compare(folder):
    worst, beyond, nets = {}, {}, 0
    for name, _, act in cases():
        base = os.path.join(folder, name)
        logits = numpy.fromfile(base + ".logits", "<f4").reshape(4, -1)
        shape = [int(n) for n in header(base + ".safetensors")[0]["__metadata__"]["hk.input"].split("x")]
        raw = numpy.fromfile(base + ".raw", "<f4").reshape([4] + shape)
        truth, floats = evaluate_torch(base, raw, True), evaluate_torch(base, raw, False)
        found = {"Hillock": (None if truth is None else distance(logits, truth), SUMS),
                 "PyTorch": (None if truth is None else distance(floats, truth), SUMS)}
        logits = logits if truth is None else truth
        found["ONNX"] = (compare_onnx(base, raw, logits), 1e-5)
        for compiler, runner in COMPILERS.items():
            if runner and act != "mish":
                continue
            there = shutil.which(compiler) and (not runner or shutil.which(runner[0]))
            found["C by " + compiler] = (compare_c(base, compiler, runner, raw, logits) if there else None,
                                         SUMS)
        arrays, npz = tensors(base + ".pt.safetensors"), numpy.load(base + ".npz")
        same = set(arrays) == set(npz.files) and all((npz[k] == v).all() for k, v in arrays.items())
        say(f"{name}: .npz holds other arrays than --torch", same) if not same else None
        for what, (far, allowed) in found.items():
            if far is None:
                worst[what] = None
                continue
            if not far <= allowed:
                say(f"{name}: {what} is {far:.2g} away, expected {allowed:g}", False)
            worst[what] = max(worst.get(what) or 0, far)
            beyond[what] = beyond.get(what, 0) + (far > 1e-6)
        nets += 1
    for what, far in worst.items():
        say(f"{what}: " + ("not here, skipped" if far is None else
                           f"at most {far:.2g} of the largest logit away, {beyond[what]} of {nets} nets "
                           "beyond 1e-6"))


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--compare":
        compare(arguments[1])
    elif len(arguments) == 3 and arguments[1] == "--make":
        make(arguments[0], arguments[2])
    else:
        with tempfile.TemporaryDirectory() as folder:
            make(arguments[0], folder)
            compare(folder)
    print(f"{len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
