"""hillock export against those who read it: seven models with ten activations.

    export_parity.py BUILD_FOLDER
    export_parity.py BUILD_FOLDER --make FOLDER     nets and their exports, nothing else
    export_parity.py --compare FOLDER               what was made there, on any machine

ONNX: onnx.checker; ONNX Runtime, or the reference evaluator where there is none. C: clean under -Wall
-Wextra -Werror with every compiler of gcc, clang and arm-linux-gnueabihf-gcc (run by qemu-arm, with one
activation) that is there. PyTorch: the Python that --torch prints, in float and in double; the arrays, taken
back, give the same bits. .npz holds the same arrays. Distances are shares of the largest logit, from PyTorch's
in double, Hillock's own too; where there is no PyTorch, from Hillock's. Sums of floats in another order are up
to 3e-6 apart.

Needs Debian's python3-numpy; of python3-onnx, python3-onnxruntime, python3-torch and python3-safetensors what
is there."""
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
    "vgg11": "glyphs:train=64,test=16,size=32,channels=3",
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
    build, folder = os.path.abspath(build), os.path.abspath(folder)
    tool = os.path.join(build, "bin", "hillock")
    for name, model, act in cases():
        base = os.path.join(folder, name)
        run(tool, "train", model, "--data", MODELS[model], "--act", act, "--epochs", "1", "--batch", "16",
            "--no-probes", "--out", base + ".safetensors")
        python = run(tool, "export", base + ".safetensors", "--onnx", base + ".onnx", "--c", base + ".c",
                     "--torch", name + ".pt.safetensors", "--npz", base + ".npz", cwd=folder)
        with open(base + ".py", "w") as file:
            file.write(python)
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


def compare_onnx(base, images, logits):
    try:
        import onnx
    except ImportError:
        return None
    onnx.checker.check_model(onnx.load(base + ".onnx"), full_check=True)
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
    program = os.path.abspath(base + "." + compiler)
    run(compiler, "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", f"-D{name}_MAIN", base + ".c", "-o",
        program, "-lm", *(["-static"] if runner else []))
    text = " ".join(f"{value:.9g}" for value in raw.ravel())
    out = run(*runner, program, input=text)
    os.unlink(program)
    return distance(numpy.array(out.split(), "f4").reshape(logits.shape), logits)


def evaluate_torch(base, images, is_double):
    """Logits by the Python that --torch printed, or None."""
    try:
        import torch
        import safetensors.torch  # noqa: F401, which that imports
    except ImportError:
        return None
    scope = {}
    with open(base + ".py") as text:
        exec(text.read(), scope)  # loads each array, or raises
    net, x = scope["net"], torch.tensor(images)
    with torch.no_grad():
        return (net.double()(x.double()) if is_double else net(x)).numpy()


def compare(folder):
    worst, beyond, nets = {}, {}, 0
    os.chdir(folder)  # the Python of --torch loads its file from there
    for base, _, act in cases():
        logits = numpy.fromfile(base + ".logits", "<f4").reshape(4, -1)
        shape = [int(n) for n in header(base + ".safetensors")[0]["__metadata__"]["hk.input"].split("x")]
        raw = numpy.fromfile(base + ".raw", "<f4").reshape([4] + shape)
        images = raw.transpose(0, 3, 1, 2) if raw.ndim == 4 else raw
        truth, floats = evaluate_torch(base, images, True), evaluate_torch(base, images, False)
        found = {"Hillock": (None if truth is None else distance(logits, truth), SUMS),
                 "PyTorch": (None if truth is None else distance(floats, truth), SUMS)}
        logits = logits if truth is None else truth
        found["ONNX"] = (compare_onnx(base, images, logits), 1e-5)
        for compiler, runner in COMPILERS.items():
            if runner and act != "mish":
                continue
            there = shutil.which(compiler) and (not runner or shutil.which(runner[0]))
            found["C by " + compiler] = (compare_c(base, compiler, runner, raw, logits) if there else None,
                                         SUMS)
        arrays, npz = tensors(base + ".pt.safetensors"), numpy.load(base + ".npz")
        same = set(arrays) == set(npz.files) and all((npz[k] == v).all() for k, v in arrays.items())
        say(f"{base}: .npz holds other arrays than --torch", same) if not same else None
        for what, (far, allowed) in found.items():
            if far is None:
                worst[what] = None
                continue
            if not far <= allowed:
                say(f"{base}: {what} is {far:.2g} away, expected {allowed:g}", False)
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
