"""Builds the wheel of hillock.py, as PEP 517 and PEP 427 ask: a zip of the file and what describes it."""
import base64
import hashlib
import os
import re
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def _version():
    with open(os.path.join(HERE, "hillock.py"), encoding="utf-8") as file:
        return re.search(r'^__version__ = "(.*)"$', file.read(), re.MULTILINE)[1]


def _described(version):
    """The files of the folder NAME.dist-info but for RECORD."""
    with open(os.path.join(HERE, "pyproject.toml"), encoding="utf-8") as file:
        said = dict(re.findall(r'^(description|requires-python) = "(.*)"$', file.read(), re.MULTILINE))
    return {"METADATA": f"Metadata-Version: 2.1\nName: hillock\nVersion: {version}\nSummary: {said['description']}\n"
                        f"Requires-Python: {said['requires-python']}\nRequires-Dist: numpy\n",
            "WHEEL": "Wheel-Version: 1.0\nGenerator: hillock\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = _version()
    folder, name = f"hillock-{version}.dist-info/", f"hillock-{version}-py3-none-any.whl"
    with open(os.path.join(HERE, "hillock.py"), "rb") as file:
        files = {"hillock.py": file.read()}
    files.update((folder + part, text.encode()) for part, text in _described(version).items())
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    files[folder + "RECORD"] = (record + f"{folder}RECORD,,\n").encode()
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
    return name
