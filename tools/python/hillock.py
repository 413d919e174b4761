"""Hillock from Python: activations, trained nets and results of the C framework.

    mish = hillock.activation("mish")            # or "./mine.so:slope=0.1"
    mish(x), mish.slope(x)                       # of NumPy arrays
    layer = mish.torch()                         # a torch.nn.Module
    net = hillock.load("net.safetensors")
    net.predict(images)                          # names of classes
    hillock.results("results.db")                # a list of dicts
    hillock.compare(act=["relu", "mish"], seeds=3)

One file; needs NumPy, and torch for .torch() alone. docs/python.md has examples.
"""
import contextlib
import ctypes
import functools
import json
import math
import os
import pathlib
import shutil
import sqlite3
import subprocess

import numpy

__version__ = "0.2.0"
__all__ = ["Error", "activation", "compare", "library", "load", "program", "results", "threads"]

_SONAME = "libhillock.so." + __version__.rpartition(".")[0]
_APPLICATION = 0x48494C4C  # of a database of results


class Error(Exception):
    """What failed, as a sentence."""


# ---- The library ------------------------------------------------------------------------------------

_TYPES = {"i": ctypes.c_int, "u": ctypes.c_uint32, "l": ctypes.c_int64, "k": ctypes.c_uint64, "d": ctypes.c_double,
          "p": ctypes.c_void_p, "s": ctypes.c_char_p, "o": ctypes.POINTER(ctypes.c_void_p), "-": None}


def _structure(**members):
    """A struct of the public headers, in the order of its members."""
    return type("_Structure", (ctypes.Structure,), {"_fields_": [(name, _TYPES[t]) for name, t in members.items()]})


_Slot = _structure(name="s", doc="s", role="u", extent="u", count="u", flags="u", value="d", low="d", high="d")
_Info = _structure(name="s", spec="s", summary="s", slots="p", n_slots="i", reads="u", traits="u", aux_floats="u",
                   n_sums="u", changes_slots="u")
_Call = _structure(rows="l", channels="l", rows_per_sample="l", training="i", surrogate="i", key="k", slots="p",
                   x="p", y="p", aux="p", sums="p", dy="p", dx="p", dslots="p")
_TYPES["I"], _TYPES["C"] = ctypes.POINTER(_Info), ctypes.POINTER(_Call)
_READS_X, _READS_Y, _STOCHASTIC, _ROWWISE = 1, 2, 8, 16
_LEARNED, _PER_CHANNEL = 1, 1

_FUNCTIONS = {  # the type of the result, then of the arguments
    "hk_version": "s", "hk_message": "s", "hk_set_threads": "-i", "hk_plugin_load": "is",
    "hk_function_new": "iso", "hk_function_free": "-p", "hk_function_describe": "Ip", "hk_function_channels": "lpl",
    "hk_function_slot": "lpil", "hk_function_start": "iplp", "hk_function_forward": "ipC",
    "hk_function_backward": "ipC", "hk_function_commit": "ipC",
    "hk_net_load": "isoo", "hk_net_free": "-p", "hk_net_parameters": "lp", "hk_net_tensor": "pps",
    "hk_tensor_read": "ipp", "hk_net_standardise": "iplpp", "hk_net_classify": "iplpp", "hk_net_estimate": "iplpp"}


def program():
    """The path of the program hillock: the one on PATH."""
    found = shutil.which("hillock")
    if not found:
        raise Error("there is no program hillock on PATH; add the folder that it was built or installed in, "
                    "such as build/bin")
    return found


def _candidates():
    """Where the library may be, best first."""
    if os.environ.get("HILLOCK_LIBRARY"):
        return [os.environ["HILLOCK_LIBRARY"]]
    found = shutil.which("hillock")
    prefix = [pathlib.Path(found).resolve().parent.parent] if found else []
    places = [place for at in prefix for pattern in ("lib", "lib/*", "lib64") for place in sorted(at.glob(pattern))]
    return [str(place / _SONAME) for place in places if (place / _SONAME).exists()] + [_SONAME]


@functools.lru_cache(maxsize=None)
def library():
    """libhillock.so, as ctypes has it."""
    reasons = []
    for path in _candidates():
        try:
            found = ctypes.CDLL(path)
        except OSError as reason:
            reasons.append(str(reason))
            continue
        for name, types in _FUNCTIONS.items():
            if not hasattr(found, name):
                raise Error(f"{path} has no {name}: it is not the library of hillock {__version__}")
            function = getattr(found, name)
            function.restype, *function.argtypes = (_TYPES[t] for t in types)
        version = found.hk_version().decode()
        if version.rpartition(".")[0] != __version__.rpartition(".")[0]:
            raise Error(f"{path} is the library of hillock {version}, this file is of {__version__}")
        return found
    raise Error(f"{_SONAME} was not found ({'; '.join(reasons)}); set HILLOCK_LIBRARY to its path, put the program "
                "hillock on PATH, or install the library where the dynamic linker looks")


def _check(status):
    if status:
        raise Error(library().hk_message().decode(errors="replace"))


def threads(n):
    """All later calls run on n threads; 0: as many as there are processors. Results do not change."""
    library().hk_set_threads(n)


# ---- Activations --------------------------------------------------------------------------------------


def _pointers(addresses):
    """A float *[], kept alive by whoever keeps it, and its address; nothing for none."""
    if not addresses:
        return None, None
    array = (ctypes.c_void_p * len(addresses))(*addresses)
    return array, ctypes.addressof(array)


class Activation:
    """The activation of a spec, "mish", "lgb:k=4", "./mine.so:slope=0.1": a function of NumPy arrays, float32,
    in evaluation mode.

    The last axis holds the channels; the values of an array of one axis are those of one channel, but for
    an activation such as softmax, which needs whole rows. `slots` are arrays by name that replace the
    values that a layer would learn; those that are not named have their first values.
    """

    def __init__(self, spec):
        self._library, self._given, handle = library(), os.fspath(spec), ctypes.c_void_p()
        _check(self._library.hk_function_new(self._given.encode(), ctypes.byref(handle)))
        self._handle = handle
        info = self._info = self._library.hk_function_describe(handle).contents
        self.name, self.spec = info.name.decode(), info.spec.decode()
        self.summary = (info.summary or b"").decode()
        self._slots = list((_Slot * info.n_slots).from_address(info.slots)) if info.n_slots else []
        self.slots = [slot.name.decode() for slot in self._slots]
        self.learned = [slot.name.decode() for slot in self._slots if slot.role == _LEARNED]
        self.is_rowwise = bool(info.traits & _ROWWISE) or self.channels(3) != 3
        self.has_channels = self.is_rowwise or info.n_sums > 0 or any(s.extent == _PER_CHANNEL for s in self._slots)
        self._is_plain = not (self.is_rowwise or self._slots or info.aux_floats)

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.hk_function_free(self._handle)

    def __reduce__(self):
        return Activation, (self._given,)

    def __repr__(self):
        return f"hillock.activation({self.spec!r})"

    def channels(self, channels):
        """Channels of the result; 0: it does not take so many."""
        return self._library.hk_function_channels(self._handle, channels)

    def start(self, channels=1):
        """The first values of its slots, arrays by name."""
        values = {name: numpy.zeros(self._library.hk_function_slot(self._handle, i, channels), "f4")
                  for i, name in enumerate(self.slots)}
        if values:
            array, address = _pointers([v.ctypes.data for v in values.values()])
            _check(self._library.hk_function_start(self._handle, channels, address))
        return values

    def __call__(self, x, slots=None):
        if self._is_plain and not slots:  # a few microseconds count here
            x = numpy.asarray(x, "f4", order="C")
            y = numpy.empty_like(x)
            _check(self._library.hk_function_forward(self._handle, _Call(
                x.size, 1, 0, 0, 0, 0, None, x.__array_interface__["data"][0], y.__array_interface__["data"][0])))
            return y
        x, call, values = self._block(x, slots)
        return self._forward(x, call)[0]

    def slope(self, x, slots=None):
        """The derivative at each element."""
        if self.is_rowwise:
            raise Error(f"{self.spec} depends on a whole row, it has no slope; use backward(x, dy)")
        return self.backward(x, numpy.ones(numpy.shape(x), "f4"), slots)[0]

    def backward(self, x, dy, slots=None):
        """The gradients of sum(y * dy): that of x, and a dict of those of the learned slots."""
        x, call, values = self._block(x, slots)
        y, aux = self._forward(x, call)
        dy = numpy.ascontiguousarray(dy, "f4")
        if dy.shape != y.shape:
            raise Error(f"{self.spec}: dy has the shape {dy.shape}, expected that of the result, {y.shape}")
        gradients = {name: numpy.zeros_like(values[name]) for name in self.learned}
        array, call.dslots = _pointers([gradients[name].ctypes.data if name in gradients else None
                                        for name in self.slots])
        dx = numpy.empty_like(x)
        call.dy, call.dx = dy.ctypes.data, dx.ctypes.data
        _check(self._library.hk_function_backward(self._handle, call))
        return dx, gradients

    def torch(self, channels=None, dim=1):
        """A torch.nn.Module for float32 tensors on the processor, with learned slots as parameters.

        `channels`, those of its input, is needed where a slot has a value for each; they lie in dimension `dim`.
        """
        return _torch_module()(self, channels, dim)

    def _block(self, x, slots):
        """x as rows of channels, a call for it, and the slots by name, which the call points into."""
        x = numpy.asarray(x, "f4", order="C")
        channels = x.shape[-1] if x.ndim and self.has_channels and (x.ndim > 1 or self.is_rowwise) else 1
        if not self.channels(channels):
            raise Error(f"{self.spec} cannot work on {channels} channels, the last axis of {x.shape}")
        values = self.start(channels)
        for name, value in (slots or {}).items():
            if name not in values:
                raise Error(f"{self.spec} has no slot {name!r}; known: {', '.join(self.slots) or 'none'}")
            try:
                values[name] = numpy.array(numpy.broadcast_to(value, values[name].shape), "f4", order="C")
            except ValueError:
                raise Error(f"{self.spec}: the slot {name!r} has the shape {numpy.shape(value)}, expected "
                            f"{values[name].shape}") from None
        array, address = _pointers([v.ctypes.data for v in values.values()])
        call = _Call(rows=x.size // channels, channels=channels, slots=address, x=x.ctypes.data)
        call.kept = array
        return x, call, values

    def _forward(self, x, call):
        shape = x.shape[:-1] + (self.channels(call.channels),) if self.is_rowwise else x.shape
        y, aux = numpy.empty(shape, "f4"), numpy.empty(call.rows * self._info.aux_floats, "f4")
        call.y, call.aux = y.ctypes.data, aux.ctypes.data
        _check(self._library.hk_function_forward(self._handle, call))
        return y, aux


@functools.lru_cache(maxsize=None)
def _torch_module():
    """The class of .torch(): made when it is first asked for, so that torch is optional."""
    try:
        import torch
    except ImportError as reason:
        raise Error(f".torch() needs torch: {reason}") from None

    forward, backward = library().hk_function_forward, library().hk_function_backward
    empty_like, empty_strided = torch.empty_like, torch.empty_strided

    def point(tensors):
        return _pointers([None if t is None else t.data_ptr() for t in tensors])

    def run_forward(layer, x, slots):
        """y, aux and the call of a block whose memory is dense, rows of channels."""
        of = layer.activation
        y = empty_like(x) if layer.keeps_shape else x.new_empty((*x.shape[:-1], of.channels(x.shape[-1])))
        channels = x.shape[-1] if of.has_channels else 1
        array, address = point(slots)
        is_drawn = layer.training and of._info.traits & _STOCHASTIC
        key = int(torch.randint(2**63 - 1, ())) if is_drawn else 0
        call = _Call(x.numel() // channels, channels, 0, layer.training, layer.training, key, address, x.data_ptr(),
                     y.data_ptr())
        aux = None
        if of._info.aux_floats:
            aux = x.new_empty(call.rows * of._info.aux_floats)
            call.aux = aux.data_ptr()
        if of._info.n_sums and layer.training:
            sums = torch.zeros(of._info.n_sums, channels, dtype=torch.float64)
            call.sums, layer.pending = sums.data_ptr(), (call.rows, sums)
        _check(forward(of._handle, call))
        return y, aux, call

    class Apply(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, layer, *slots):
            y, aux, call = run_forward(layer, x, slots)
            ctx.layer, ctx.call, ctx.strides = layer, call, x.stride()
            ctx.save_for_backward(x if layer.reads & _READS_X else None, y if layer.reads & _READS_Y else None, aux,
                                  *slots)
            return y

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, dy):
            call, (x, y, aux, *slots) = ctx.call, ctx.saved_tensors
            if ctx.layer.keeps_shape:
                dx = empty_strided(dy.shape, ctx.strides)
                dy = dy if dy.stride() == ctx.strides else empty_strided(dy.shape, ctx.strides).copy_(dy)
            else:
                dy, dx = dy.contiguous(), dy.new_empty((*dy.shape[:-1], call.channels))
            gradients = [empty_like(slot) if wanted else None
                         for slot, wanted in zip(slots, ctx.needs_input_grad[2:])]
            (array, address), (darray, daddress) = point(slots), point(gradients)
            _check(backward(ctx.layer.activation._handle, _Call(
                call.rows, call.channels, 0, call.training, call.surrogate, call.key, address,
                None if x is None else x.data_ptr(), None if y is None else y.data_ptr(),
                None if aux is None else aux.data_ptr(), None, dy.data_ptr(), dx.data_ptr(), daddress)))
            return (dx, None, *gradients)

    class Layer(torch.nn.Module):
        """An activation of Hillock. Between two forward passes, learned slots return to their ranges and state
        follows from what was seen in training: what an optimizer step ends with in a net of Hillock."""

        def __init__(self, of, channels, dim):
            super().__init__()
            names = ", ".join(s.name.decode() for s in of._slots if s.extent == _PER_CHANNEL)
            if channels is None and names:
                raise Error(f"{of.spec} has {names} for each channel: say how many, as in .torch(channels=16)")
            self.activation, self.expected, self.dim = of, channels, dim
            self.keeps_shape, self.reads, self.pending = of.channels(3) == 3, of._info.reads, None
            for name, value in of.start(channels or 1).items():
                if name in of.learned:
                    self.register_parameter(name, torch.nn.Parameter(torch.from_numpy(value)))
                else:
                    self.register_buffer(name, torch.from_numpy(value))

        def extra_repr(self):
            return self.activation.spec + (f", channels={self.expected}" if self.expected else "")

        def commit(self):
            """State follows from the last forward pass in training; slots return to their ranges."""
            of, (rows, sums) = self.activation, self.pending or (0, None)
            array, address = point([getattr(self, name) for name in of.slots])
            call = _Call(rows, self.expected or 1, 0, 1, 1, 0, address)
            if sums is not None:
                call.channels, call.sums, self.pending = sums.shape[1], sums.data_ptr(), None
            _check(of._library.hk_function_commit(of._handle, call))

        def forward(self, x):
            of = self.activation
            if x.dtype is not torch.float32 or not x.is_cpu:
                raise Error(f"{of.spec} takes float32 tensors on the processor, not {x.dtype} on {x.device}")
            if of._info.changes_slots:
                self.commit()
            slots = [getattr(self, name) for name in of.slots]
            if of.has_channels:
                if (x.dim() <= self.dim or self.expected not in (None, x.shape[self.dim]) or
                        not of.channels(x.shape[self.dim])):
                    raise Error(f"{of.spec} cannot work on {tuple(x.shape)}: expected {self.expected or 'its'} "
                                f"channels in dimension {self.dim}")
                return Apply.apply(x.movedim(self.dim, -1).contiguous(), self, *slots).movedim(-1, self.dim)
            if not (x.is_contiguous() or x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)):
                x = x.contiguous()
            if not torch.is_grad_enabled():
                return run_forward(self, x, slots)[0]
            return Apply.apply(x, self, *slots)

    return Layer


# ---- Nets --------------------------------------------------------------------------------------------


class Net:
    """The trained net of a file that Hillock saved, with what the file says of inputs and outputs; `plugins` are the
    files of plugins that it was made with."""

    def __init__(self, path, plugins=()):
        self._library = library()
        path = os.fspath(path)
        for plugin in plugins:
            _check(self._library.hk_plugin_load(os.fspath(plugin).encode()))
        net, logits = ctypes.c_void_p(), ctypes.c_void_p()
        _check(self._library.hk_net_load(path.encode(), ctypes.byref(net), ctypes.byref(logits)))
        self._net, self._logits = net, logits
        with open(path, "rb") as file:  # docs/format.md; hk_net_load has judged it
            metadata = json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
        self._graph, self.metadata = json.loads(metadata["hk.graph"]), metadata
        self.card = json.loads(metadata.get("hk.card") or "{}")
        self.parameters = self._library.hk_net_parameters(net)
        nodes, at = self._graph["tensors"], self._graph["output"]
        self.outputs = math.prod(nodes[at]["shape"][1:])
        while nodes[at].get("inputs"):
            at = nodes[at]["inputs"][0]
        self.shape = tuple(nodes[at]["shape"][1:])
        self.is_regression = "target_deviation" in self.card
        self.classes = [] if self.is_regression else self.card.get("class_names") or [
            str(i) for i in range(self.outputs)]

    def __del__(self):
        if getattr(self, "_net", None):
            self._library.hk_net_free(self._net)

    def __repr__(self):
        of = f"{len(self.classes)} classes" if self.classes else "a number"
        return f"<hillock net: {self.shape} -> {of}, {self.parameters} parameters>"

    def _values(self, node):
        """The array of a parameter or a state."""
        values, name = numpy.empty(node["shape"], "f4"), node["name"].encode()
        _check(self._library.hk_tensor_read(self._library.hk_net_tensor(self._net, name), values.ctypes.data))
        return values

    def _samples(self, x, scaled):
        """Any number of samples, or one, as [n, *shape]; and whether it was one."""
        x = numpy.asarray(x, "f4", order="C")
        size = math.prod(self.shape)
        shapes = [self.shape] + [self.shape[:-1]] * (self.shape[-1] == 1) + [(size,)]
        one = x.shape in shapes
        if not one and (x.ndim < 1 or x.shape[1:] not in shapes or not len(x)):
            raise Error(f"the net takes samples of {self.shape} (height, width, channels of an image), not an array of "
                        f"{x.shape}")
        x = x.reshape(-1, *self.shape)
        if not scaled:
            raw, x = x, numpy.empty_like(x)
            _check(self._library.hk_net_standardise(self._logits, len(x), raw.ctypes.data, x.ctypes.data))
        return x, one

    def probabilities(self, x, scaled=False):
        """[n, classes] of samples as files have them, bytes of images as 0 .. 255; [classes] of one sample.
        scaled=True: they have been standardised already."""
        if self.is_regression:
            raise Error("the net answers numbers, not classes: use predict")
        x, one = self._samples(x, scaled)
        y = numpy.empty((len(x), self.outputs), "f4")
        _check(self._library.hk_net_classify(self._logits, len(x), x.ctypes.data, y.ctypes.data))
        return y[0] if one else y

    def predict(self, x, scaled=False):
        """The likeliest class of each sample, by name, or the number that a net of regression answers."""
        if not self.is_regression:
            best = self.probabilities(x, scaled).argmax(-1)
            return self.classes[best] if best.ndim == 0 else [self.classes[i] for i in best]
        x, one = self._samples(x, scaled)
        y = numpy.empty(len(x), "f4")
        _check(self._library.hk_net_estimate(self._logits, len(x), x.ctypes.data, y.ctypes.data))
        return y[0] if one else y

    def state_dict(self):
        """Arrays by PyTorch's names, in its layouts: weights of convolutions are [out, in / groups, height, width],
        of dense layers [out, in], gamma and beta of normalizations weight and bias. A dense layer behind a
        flattened image takes it as PyTorch flattens it. The slope of prelu is its weight; other slots of
        activations keep their names."""
        nodes = self._graph["tensors"]
        made = {node["name"]: self._values(node) for node in nodes if node["op"] in ("parameter", "state")}
        for node in nodes:
            inputs = [nodes[i] for i in node.get("inputs", [])]
            if node["op"] == "conv2d" and "name" in inputs[1]:
                made[inputs[1]["name"]] = made[inputs[1]["name"]].transpose(3, 2, 0, 1)
            elif node["op"] == "matmul" and "name" in inputs[1]:
                weight = made[inputs[1]["name"]]
                image = nodes[inputs[0]["inputs"][0]]["shape"] if inputs[0]["op"] == "reshape" else []
                if len(image) == 4 and len(inputs[0]["shape"]) == 2:
                    weight = weight.reshape(*image[1:], -1).transpose(2, 0, 1, 3).reshape(weight.shape)
                made[inputs[1]["name"]] = weight.T
        for ours, theirs in ((".norm.gamma", ".norm.weight"), (".norm.beta", ".norm.bias"),
                             (".act.slope", ".act.weight")):
            made = {name.replace(ours, theirs): value for name, value in made.items()}
        return {name: numpy.ascontiguousarray(value) for name, value in made.items()}


# ---- Results and comparisons ---------------------------------------------------------------------------


def results(path, name=None):
    """Every run in a file of results, a dict with what was run, how it ended and its figures. `name`: of one
    comparison alone. pandas.DataFrame(results(...)) makes a table of it."""
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise Error(f"{path}: there is no such file; hillock compare makes it")
    query = ("SELECT sweeps.name AS sweep, rows.data, model, activation, normalization, initializer, optimizer, "
             "parameters, multiply_adds, is_baseline, runs.* FROM runs JOIN rows ON runs.row = rows.id "
             "JOIN sweeps ON rows.sweep = sweeps.id WHERE ?1 IS NULL OR sweeps.name = ?1 ORDER BY runs.id")
    try:
        uri = pathlib.Path(path).resolve().as_uri() + "?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
            db.row_factory = sqlite3.Row
            if db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
                raise Error(f"{path}: a database of another program")
            found = [dict(row) for row in db.execute(query, (name,))]
            known = [row[0] for row in db.execute("SELECT name FROM sweeps ORDER BY name")]
    except sqlite3.Error as reason:
        raise Error(f"{path}: not a database of results ({reason})") from None
    if name is not None and name not in known:
        raise Error(f"{path}: no comparison named {name!r}; known: {', '.join(known)}")
    for run in found:
        del run["id"], run["row"]
        run["is_baseline"], run["tuning"] = bool(run["is_baseline"]), bool(run["tuning"])
    return found


def compare(**options):
    """Runs `hillock compare` and returns its JSON: compare(act=["relu", "mish"], model="mlp", seeds=3,
    db="results.db", name="first"). Options are those of the command, with _ for -; True gives one without a value."""
    command = [program(), "compare", "--json"]
    for name, value in options.items():
        items = value if isinstance(value, (list, tuple)) else [value]
        if value is not None and value is not False:
            command += ["--" + name.replace("_", "-")] + [",".join(map(str, items))] * (value is not True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace")
    try:
        return json.loads(done.stdout)
    except ValueError:
        lines = done.stderr.strip().splitlines()
        raise Error(lines[-1] if lines else f"hillock compare ended with status {done.returncode}") from None


activation, load = Activation, Net
