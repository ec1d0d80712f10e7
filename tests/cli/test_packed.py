"""Packed weights on disk: made by the first load, mapped by the second, never of another model, and no load fails for
want of them."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests/fixtures/models/llama.gguf"
STAMP = 1_000_000_000


@pytest.fixture
def own(den, tmp_path):
    """A models folder of its own, with a copy of the default model and room to spoil it."""
    models = pathlib.Path(den.env["DEN_HOME"]) / "models"
    models.unlink()
    (models / "m").mkdir(parents=True)
    den.copy = models / "m" / "model.gguf"
    shutil.copy(den.model, den.copy)
    den.packed = den.copy.parent / ".model.gguf.packed"
    return den


def load(den, *more, model=None, **options):
    """The state that a load ends in, and the answer's tokens."""
    answer = json.loads(den.out("generate", "--json", "--raw", "--temperature", "0", "-n", "8", "-m",
                                model or den.copy, *more, "Once upon a time", **options))
    return answer["packed"], answer["tokens"]


def test_the_second_load_maps_what_the_first_made(own):
    made, first = load(own)
    mapped, second = load(own)
    none, third = load(own, env={"DEN_PACKED": "off"})
    assert (made, mapped, none) == ("made", "mapped", "none")
    assert first == second == third
    assert own.packed.stat().st_mode & 0o777 == 0o600
    assert not list(own.copy.parent.glob("*.part")) and not list(own.copy.parent.glob(".*.part"))
    assert json.loads(own.out("bench", "--json", "-m", own.copy, "--prompt", "8", "--generate", "2"))["packed"] == "mapped"
    assert own.copy.stat().st_size == max(
        m["bytes"] for m in json.loads(own.out("models", "--json")) if m["name"] == "m")


def test_the_reference_precision_keeps_out_of_it(own):
    def bench(precision):
        return json.loads(own.out("bench", "--json", "-m", own.copy, "--prompt", "4", "--generate", "0", "--runs", "1",
                                  "--precision", precision))["packed"]

    assert bench("fp32") == "none" and not own.packed.exists()
    assert bench("int8") == "made"
    assert bench("fp32") == "none" and own.packed.exists()


def test_a_damaged_file_is_noticed_replaced_and_harmless(own):
    _, wanted = load(own)
    size = own.packed.stat().st_size
    for at in (20, 4096 + 100, size // 2, size - 30):  # the header, a first part, the middle, the table
        with open(own.packed, "r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 1]))
        os.utime(own.packed, ns=(time.time_ns(), STAMP * 10**9))  # as a disk that decays would leave it
        state, tokens = load(own)
        assert tokens == wanted
        assert state in ("bad", "made"), at
        if state == "bad":
            assert not own.packed.exists()
            assert load(own) == ("made", wanted)
    os.truncate(own.packed, size // 2)
    os.utime(own.packed, ns=(time.time_ns(), STAMP * 10**9))
    assert load(own) == ("bad", wanted)


def test_a_file_that_was_written_to_is_not_used(own):
    _, wanted = load(own)
    with open(own.packed, "r+b") as file:
        file.seek(5000)
        file.write(b"x")
    assert load(own) == ("made", wanted)
    assert load(own) == ("mapped", wanted)


def test_a_replaced_model_never_meets_the_old_ones_file(own):
    _, wanted = load(own)
    other = own.copy.with_suffix(".new")
    data = bytearray(own.copy.read_bytes())
    data[-4096:] = bytes(4096)
    other.write_bytes(data)
    before = own.copy.stat()
    # another file of the same size
    other.replace(own.copy)
    assert load(own)[0] == "made"
    assert load(own)[0] == "mapped"
    # and one that also has the other's times: what is in it tells
    data[len(data) // 2:] = bytes(len(data) - len(data) // 2)
    now = own.copy.stat()
    own.copy.write_bytes(data)
    os.utime(own.copy, ns=(now.st_atime_ns, now.st_mtime_ns))
    state, spoiled = load(own)
    assert state == "bad" and spoiled != wanted and before.st_size == now.st_size


def test_a_killed_maker_leaves_no_file_under_the_final_name(own):
    command = [own.program, "generate", "--raw", "-n", "1", "-m", str(own.copy), "hi"]
    part = own.copy.parent / ".model.gguf.packed.part"
    seen = 0
    for _ in range(20):
        process = subprocess.Popen(command, env=own.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while process.poll() is None and not (part.exists() and part.stat().st_size > 0) and not own.packed.exists():
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen += part.exists()
        if own.packed.exists():  # it was quicker than we are
            assert own.packed.stat().st_mtime == STAMP
            own.packed.unlink()
        if seen >= 3:
            break
    assert seen > 0
    state, tokens = load(own)
    assert state == "made" and not part.exists()
    assert load(own) == ("mapped", tokens)


def test_a_disk_without_room_costs_only_the_file(own):
    """A limit on the size of files stands for a full disk: the room is refused before anything is packed."""
    limit = (1 << 20, 1 << 20)

    def low():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    state, tokens = load(own, preexec_fn=low)
    assert state == "none" and not list(own.copy.parent.glob(".*"))
    assert load(own) == ("made", tokens)


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("chattr"), reason="nothing is read-only for root")
def test_a_folder_that_can_not_be_written_to(own):
    folder = own.copy.parent
    if os.geteuid() == 0:
        if subprocess.run(["chattr", "+i", folder], capture_output=True).returncode != 0:
            pytest.skip("no immutable folders here")
    else:
        folder.chmod(0o500)
    try:
        assert load(own)[0] == "none"
    finally:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", folder], check=True)
        else:
            folder.chmod(0o700)


def test_models_elsewhere_and_small_ones(own, tmp_path):
    elsewhere = tmp_path / "else.gguf"
    shutil.copy(own.model, elsewhere)
    folder = pathlib.Path(own.env["DEN_HOME"]) / "packed"
    assert load(own, model=elsewhere)[0] == "made"
    assert len(list(folder.iterdir())) == 1
    assert load(own, model=elsewhere)[0] == "mapped"
    # one that nobody has used for long goes when the next is made
    old = next(folder.iterdir())
    os.utime(old, ns=((time.time_ns() - 40 * 86400 * 10**9), STAMP * 10**9))
    small = tmp_path / "small.gguf"
    shutil.copy(FIXTURE, small)
    assert "packed" in own.out("bench", "-m", small, "--prompt", "4", "--generate", "1", "--runs", "1")
    assert old.exists()
    own.out("bench", "-m", small, "--prompt", "4", "--generate", "1", "--runs", "1", env={"DEN_PACKED": "all"})
    assert not old.exists() and len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("name", sorted(one.name for one in FIXTURE.parent.iterdir()))
def test_every_family_comes_back_as_it_was(own, name):
    """Experts, fused and tied matrices, folders and files: all parts fit in, and come in the same order again."""
    model = FIXTURE.parent / name
    none, first = load(own, model=model, env={"DEN_PACKED": "off"})
    made, second = load(own, model=model, env={"DEN_PACKED": "all"})
    mapped, third = load(own, model=model, env={"DEN_PACKED": "all"})
    assert (none, made, mapped) == ("none", "made", "mapped")
    assert first == second == third


def test_a_removed_model_takes_its_file_along(own):
    models = own.copy.parent.parent
    shutil.copy(own.model, models / "single.gguf")
    assert load(own, model="single")[0] == "made"
    assert (models / ".single.gguf.packed").exists()
    assert load(own)[0] == "made"
    own.out("models", "remove", "single")
    own.out("models", "remove", "m")
    assert list(models.iterdir()) == []


def test_an_encoder_has_one_too(den, tmp_path):
    encoder = pathlib.Path(den.env["DEN_HOME"]) / "models/all-minilm"
    if not encoder.exists():
        pytest.skip("all-minilm is not installed")
    vectors = [den.out("embed", "-m", encoder, "--json", "a cat", env={"DEN_PACKED": wish}) for wish in ("off", "all", "all")]
    assert vectors[0] == vectors[1] == vectors[2]
    beside, elsewhere = encoder.resolve() / ".packed", pathlib.Path(den.env["DEN_HOME"]) / "packed"
    assert beside.exists() or len(list(elsewhere.iterdir())) == 1  # a linked folder's lies elsewhere
