"""What the code of an evaluator asks for that evaluators have not: GPUs, models, time, the network."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.evaluator_sources import is_below, sources, text_of
from pytest_innovatorbench.hostile import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.authoring.checks.evaluator_sources import Source
    from pytest_innovatorbench.authoring.findings import Finding
    from pytest_innovatorbench.authoring.subject import Subject

_LONGEST = 80
# Libraries that are of use for models alone, and parts of libraries that are.
_FOR_MODELS = {
    **dict.fromkeys(("vllm", "sglang", "llama_cpp", "ctransformers", "exllamav2"), "runs language models"),
    **dict.fromkeys(("deepspeed", "accelerate", "bitsandbytes", "trl", "peft"), "trains models"),
    **dict.fromkeys(("lightning", "pytorch_lightning", "optax", "torch.optim"), "trains models"),
    **dict.fromkeys(("transformers.Trainer", "transformers.TrainingArguments"), "trains models"),
    **dict.fromkeys(("cupy", "pycuda", "cudf", "cuml", "numba.cuda", "triton", "pynvml"), "needs a GPU"),
}
# Libraries with which an evaluator may do no more than read what a submission holds.
_LARGE = (
    *("torch", "torchvision", "torchaudio", "tensorflow", "keras", "jax", "flax", "transformers"),
    *("sentence_transformers", "diffusers", "timm", "onnxruntime", "xgboost", "lightgbm", "catboost"),
)
_LEARNING = (*_LARGE, "sklearn")
_MODEL_CALLS = {
    **dict.fromkeys(("transformers.pipeline", "sentence_transformers.SentenceTransformer"), "loads a model"),
    **dict.fromkeys(("torch.hub.load", "onnxruntime.InferenceSession"), "loads a model"),
    **dict.fromkeys(("tensorflow.keras.models.load_model", "keras.models.load_model"), "loads a model"),
    **dict.fromkeys(("xgboost.train", "lightgbm.train"), "trains a model"),
}
_TRAINING = {"fit", "partial_fit", "train_on_batch", "backward"}
_CUDA = re.compile(r"cuda(?::\d+)?")
_HARMLESS_CUDA = {"is_available", "device_count", "manual_seed", "manual_seed_all"}
# What is fitted to texts and columns in a moment.
_LIGHT = re.compile(r"vectoriz|scaler|encoder|binariz|normaliz|imputer", re.IGNORECASE)
_NO_MODEL = re.compile(r"tokenizer|config|processor", re.IGNORECASE)
_HEAVY_PROGRAMS = {"torchrun", "accelerate", "deepspeed", "vllm", "nvidia-smi", "ollama"}

_NETWORK_MODULES = (
    *("requests", "urllib.request", "urllib3", "httpx", "aiohttp", "http.client", "socket", "ftplib"),
    *("smtplib", "telnetlib", "xmlrpc.client", "websocket", "websockets", "paramiko"),
    *("boto3", "gdown", "wget"),
    *("openai", "anthropic", "cohere", "mistralai", "litellm", "google.generativeai", "google.genai"),
    *("huggingface_hub", "modelscope", "wandb", "kaggle"),
)
_NETWORK_CALLS = {
    "evaluate.load": "downloads a metric",
    "nltk.download": "downloads data",
    "torch.hub.load_state_dict_from_url": "downloads a model",
    "tensorflow.keras.utils.get_file": "downloads a file",
    "sklearn.datasets.fetch_openml": "downloads data",
}
_LOCAL_FORMATS = {"json", "csv", "parquet", "text", "arrow", "imagefolder", "audiofolder"}
_NETWORK_PROGRAMS = {"curl", "wget", "ssh", "scp", "rsync", "nc", "ncat", "telnet", "ftp", "aria2c"}
_NETWORK_ORDERS = {
    "git": {"clone", "fetch", "pull", "push"},
    "pip": {"install", "download"},
    "pip3": {"install", "download"},
    "huggingface-cli": {"download"},
    "hf": {"download"},
}


def heavy_work(subject: Subject) -> Iterator[Finding]:
    """Yield what needs a GPU, trains or runs a model; as a warning, what may do no more than read one."""
    for source in sources(subject):
        yield from _model_libraries(source)
        yield from _gpu_names(source)
        for call, name in source.calls():
            said = _heavy_call(source, call, name)
            if said:
                light = said == "loads a model" and _NO_MODEL.search(text_of(call.func))
                yield source.finding(call, f"{_shown(call)} {said}", "warning" if light else None)
        for call, words in source.commands():
            if words[0] in _HEAVY_PROGRAMS:
                yield source.finding(call, f"{words[0]} is for GPUs and models")


def network(subject: Subject) -> Iterator[Finding]:
    """Yield what needs the network, where no judge is declared that may use it."""
    if subject.manifest.values.get("judge"):
        return
    for source in sources(subject):
        for module, line in source.modules.items():
            if is_below(module, *_NETWORK_MODULES):
                yield source.finding(line, f"{one_line(module, _LONGEST)} needs the network")
        for call, name in source.calls():
            said = _network_call(call, name)
            if said:
                yield source.finding(call, f"{_shown(call)} {said}")
        for call, (program, *others) in source.commands():
            if program in _NETWORK_PROGRAMS or _NETWORK_ORDERS.get(program, set()) & set(others[:1]):
                yield source.finding(call, f"{one_line(' '.join([program, *others[:1]]))} needs the network")


def _model_libraries(source: Source) -> Iterator[Finding]:
    large = set()
    for module, line in source.modules.items():
        why = next((why for name, why in _FOR_MODELS.items() if is_below(module, name)), None)
        package = module.partition(".")[0]
        if why:
            yield source.finding(line, f"{one_line(module, _LONGEST)} {why}")
        elif package in _LARGE and package not in large:
            large.add(package)
            said = f"{package} is imported: see that it does no more than read what was submitted"
            yield source.finding(line, said, "warning")


def _gpu_names(source: Source) -> Iterator[Finding]:
    compared = {
        inner
        for node in source.nodes
        if isinstance(node, (ast.Compare, ast.Expr))
        for inner in ast.iter_child_nodes(node)
    }
    for node in set(source.nodes) - compared:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CUDA.fullmatch(node.value):
            yield source.finding(node, f"{node.value!r} is a GPU")


def _heavy_call(source: Source, call: ast.Call, name: str) -> str | None:
    """Return what a call does that is too much, if it does."""
    if name in _MODEL_CALLS:
        return _MODEL_CALLS[name]
    if is_below(name, "torch.optim"):
        return "trains a model"
    if is_below(name, "torch.cuda"):
        return None if name.rpartition(".")[2] in _HARMLESS_CUDA else "needs a GPU"
    return _heavy_method(source, call.func) if isinstance(call.func, ast.Attribute) else None


def _heavy_method(source: Source, called: ast.Attribute) -> str | None:
    method = called.attr
    if method == "cuda":
        return "needs a GPU"
    if method == "from_pretrained":
        return "loads a model"
    if any(is_below(module, *_LEARNING) for module in source.modules):
        if method in _TRAINING and not _LIGHT.search(text_of(called.value)):
            return "trains a model"
        if method == "generate":
            return "runs a model"
    return None


def _network_call(call: ast.Call, name: str) -> str | None:
    """Return what a call needs the network for, if it does."""
    if name in _NETWORK_CALLS:
        return _NETWORK_CALLS[name]
    if name == "datasets.load_dataset":
        return None if _is_local(call) else "downloads data"
    return "needs the network" if is_below(name, *_NETWORK_MODULES) else None


def _is_local(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return True  # nobody can tell
    return first.value in _LOCAL_FORMATS or first.value.startswith((".", "/"))


def _shown(call: ast.Call) -> str:
    return one_line(text_of(call.func), _LONGEST) or "a call"
