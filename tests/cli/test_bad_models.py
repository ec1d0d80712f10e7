"""Model files that are missing, broken, hostile or of another kind: exit code and a message with cause and remedy."""
import json
import shutil
import struct

import pytest


def fails(den, path, code, *words):
    done = den.run("generate", "-m", path, "hi")
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr
    return done.stderr


def write(den, data, name="model.gguf"):
    path = den.scratch / name
    path.write_bytes(data)
    return path


def test_missing_model_lists_names(den):
    assert "smollm2" in fails(den, "no-such-model", 3, "no-such-model")


def test_missing_default_says_how_to_install(den, tmp_path):
    done = den.run("generate", "hi", env={"DEN_HOME": str(tmp_path / "empty")})
    assert done.returncode == 3
    assert "den pull smollm2" in done.stderr


def test_empty_file(den):
    fails(den, write(den, b""), 6, "empty")


def test_wrong_magic(den):
    fails(den, write(den, b"PK\x03\x04" + bytes(100)), 6, "model.gguf")
    fails(den, write(den, b"version https://git-lfs.github.com/spec/v1\n"), 6, "LFS")
    fails(den, write(den, b"hello, this is text\n" * 10), 6, "GGUF")


def test_folder_without_weights(den):
    folder = den.scratch / "folder"
    folder.mkdir()
    fails(den, folder, 3, "config.json")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert "safetensors" in den.run("generate", "-m", folder, "hi").stderr


@pytest.mark.parametrize("bytes_kept", [3, 10, 24, 100, 5000, 1_000_000, 50_000_000, 98_362_431])
def test_truncated(den, bytes_kept):
    with open(den.model, "rb") as whole:
        fails(den, write(den, whole.read(bytes_kept)), 6, "model.gguf")


def test_unsupported_architecture_is_named(den):
    def text(value):
        return struct.pack("<Q", len(value)) + value
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text(b"general.architecture") + struct.pack("<I", 8) + text(b"rwkv9")
    fails(den, write(den, header + bytes(64)), 7, "rwkv9", "llama")


@pytest.mark.parametrize("tensors, keys", [(2**63, 1), (1, 2**62), (2**40, 2**40), (0, 0)])
def test_absurd_counts(den, tensors, keys):
    fails(den, write(den, b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + bytes(200)), 6)


def test_version_from_the_future(den):
    fails(den, write(den, b"GGUF" + struct.pack("<IQQ", 99, 0, 0)), 7, "99")


def test_flipped_bytes_never_crash(den):
    """A small real folder would be better cut; the header of the real file, one byte changed at a time, must do."""
    with open(den.model, "rb") as whole:
        data = bytearray(whole.read(3000))
    for at in range(8, 2400, 120):
        broken = bytearray(data)
        broken[at] ^= 0xFF
        done = den.run("tokenize", "-m", write(den, bytes(broken)), "hi")
        assert 0 < done.returncode < 128, (at, done.returncode, done.stderr)


def test_hugging_face_folder_with_broken_parts(den, tmp_path):
    folder = tmp_path / "hf"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "num_hidden_layers": -1}))
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    done = den.run("generate", "-m", folder, "hi")
    assert done.returncode in (2, 6, 7) and done.stderr
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**60) + b"{}")
    done = den.run("generate", "-m", folder, "hi")
    assert done.returncode == 6 and "model.safetensors" in done.stderr
