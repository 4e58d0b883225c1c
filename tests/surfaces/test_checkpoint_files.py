"""Files of checkpoints: what is read, and what hostile ones do."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from optiviz.surfaces import checkpoint_files
from optiviz.surfaces.checkpoint_files import checkpoint_hash, read_checkpoint
from optiviz.surfaces.parts import flat_vector, parts_of
from optiviz.system.errors import InputError

WEIGHT = np.arange(6.0).reshape(2, 3)


class Bomb:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def said(file):
    with pytest.raises(InputError) as caught:
        read_checkpoint(str(file))
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_arrays_come_back_as_saved(here):
    np.savez("a.npz", **{"dense/kernel": WEIGHT.astype("f4"), "half": np.ones(2, "f2"), "n": 7})
    digest, tensors = read_checkpoint("a.npz")
    assert digest == checkpoint_hash("a.npz") and list(tensors) == ["dense/kernel", "half", "n"]
    assert tensors["dense/kernel"].dtype == np.float32
    np.testing.assert_array_equal(tensors["dense/kernel"], WEIGHT)
    assert tensors["half"].dtype == np.float64 and int(tensors["n"]) == 7
    tensors["dense/kernel"][0, 0] = 9  # not what is kept in memory
    np.testing.assert_array_equal(read_checkpoint("a.npz").tensors["dense/kernel"], WEIGHT)


def test_a_changed_file_is_read_again(here):
    np.savez("a.npz", w=np.zeros(2))
    first = read_checkpoint("a.npz")
    np.savez("a.npz", w=np.ones(2))
    second = read_checkpoint("a.npz")
    assert first.sha256 != second.sha256 and second.tensors["w"].all()
    with pytest.raises(InputError, match="has changed since"):
        checkpoint_files.known_tensors("a.npz", "0" * 64)


def test_prefixes_of_wrappers_are_left_out(here):
    wrapped = {"module._orig_mod.fc.weight": WEIGHT, "module._orig_mod.module.b": np.ones(1)}
    np.savez("a.npz", n_averaged=3, **wrapped)
    assert list(read_checkpoint("a.npz").tensors) == ["fc.weight", "module.b"]


def test_a_wrapped_model_is_that_of_an_unwrapped_checkpoint():
    parts = parts_of([("module.w", (2,)), ("module.b", ())])
    found = flat_vector({"b": np.array(3.0), "w": np.array([1.0, 2.0])}, parts, "a.npz")
    assert found.tolist() == [1, 2, 3]


def test_the_key_of_another_model_is_named():
    parts = parts_of([("w", (2,)), ("b", ())])
    for tensors, sentence in (
        ({"w": np.ones(2)}, "a.pt: is of another model: it has no b"),
        ({"w": np.ones(3), "b": 1}, "a.pt: is of another model: w has shape (3,), not (2,)"),
        ({"w": np.ones(2), "b": 1, "c": 1}, "a.pt: is of another model, which has c"),
    ):
        with pytest.raises(InputError) as caught:
            flat_vector(tensors, parts, "a.pt")
        assert str(caught.value) == sentence


def test_files_that_are_none(here):
    (here / "folder.npz").mkdir()
    (here / "empty.npz").touch()
    (here / "text.npz").write_text("hello")
    np.savez("none.npz")
    np.savez("words.npz", w=np.array(["a"]))
    np.savez("complex.npz", w=np.array([1j]))
    assert said("absent.npz") == "absent.npz: no such file"
    assert said("a.ckpt") == "'a.ckpt' must end in .pt, .pth, .safetensors, .npz"
    assert said("folder.npz") == "folder.npz: not a file"
    assert said("empty.npz") == "empty.npz: is empty"
    assert said("text.npz").startswith("text.npz: is not a valid npz file: ")
    assert said("none.npz") == "none.npz: holds no tensors"
    assert said("words.npz") == "words.npz: w must be real numbers, not <U1"
    assert said("complex.npz") == "complex.npz: w must be real numbers, not complex128"
    assert "a\x00" not in said("a\x00.npz")


def test_objects_in_arrays_are_never_read(here):
    np.savez("a.npz", w=np.array([Bomb()], object))
    assert said("a.npz") == "a.npz: w contains pickled objects, which are not read"
    assert not (here / "ran").exists()


def test_a_bomb_of_zeros_is_not_unpacked(here, monkeypatch):
    monkeypatch.setattr(checkpoint_files, "MAX_NUMBERS", 1000)
    np.savez_compressed("a.npz", w=np.zeros(100_000))
    assert said("a.npz") == "a.npz: w has more than 1000 numbers"
    np.savez("b.npz", a=np.zeros(600), b=np.zeros(600))
    assert said("b.npz") == "b.npz: b has more than 400 numbers"


def test_large_files_are_not_read(here, monkeypatch):
    np.savez("a.npz", w=np.zeros(1000))
    monkeypatch.setattr(checkpoint_files, "MAX_BYTES", 1000)
    assert said("a.npz") == "a.npz: must be at most 1000 bytes"


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_part_of_a_file(here, share):
    np.savez("a.npz", w=np.arange(1000.0))
    whole = (here / "a.npz").read_bytes()
    (here / "a.npz").write_bytes(whole[: int(share * len(whole))])
    assert said("a.npz").startswith("a.npz: is not a valid npz file: ")


@pytest.mark.parametrize("file", ["a.pt", "a.safetensors"])
def test_without_the_library(here, file, monkeypatch):
    library = {"a.pt": "torch", "a.safetensors": "safetensors"}[file]
    monkeypatch.setitem(__import__("sys").modules, library, None)
    (here / file).write_bytes(b"something")
    assert said(file) == f"{file} needs {library}: pip install 'optiviz-cli[torch]'"


def safetensors_bytes(header, data=b""):
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


@pytest.mark.torch
class TestTorch:
    """Files of torch and safetensors."""

    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    @pytest.mark.parametrize("suffix", [".pt", ".pth"])
    @pytest.mark.parametrize(
        "held",
        [
            lambda state, torch: state,
            lambda state, torch: {"model_state_dict": state, "loss": torch.ones(()), "epoch": 1},
            lambda state, torch: {"model": state, "optimizer": {"state": {}}, "ema": state},
            lambda state, torch: {"mine": state, "epoch": 1},
            lambda state, torch: {f"module.{key}": each for key, each in state.items()},
        ],
    )
    def test_a_state_dict_is_found(self, here, torch, suffix, held):
        state = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).state_dict()
        torch.save(held(state, torch), f"a{suffix}")
        found = read_checkpoint(f"a{suffix}").tensors
        assert list(found) == list(state)
        for name, tensor in state.items():
            np.testing.assert_array_equal(found[name], tensor.numpy())

    def test_the_former_format(self, here, torch):
        torch.save({"w": torch.ones(2)}, "a.pt", _use_new_zipfile_serialization=False)
        assert read_checkpoint("a.pt").tensors["w"].tolist() == [1, 1]

    def test_short_numbers_become_float64(self, here, torch):
        pytest.importorskip("safetensors")
        from safetensors.torch import save_file

        numbers = torch.tensor([[1.5, -2.25, 3.0]])
        kinds = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64]
        state = {str(kind)[6:]: numbers.to(kind) for kind in kinds}
        torch.save(state, "a.pt")
        save_file(state, "a.safetensors")
        for file in ("a.pt", "a.safetensors"):
            found = read_checkpoint(file).tensors
            assert {name: each.dtype.name for name, each in found.items()} == {
                **{"float16": "float64", "bfloat16": "float64"},
                **{"float32": "float32", "float64": "float64", "int64": "int64"},
            }
            for name, each in found.items():
                np.testing.assert_array_equal(each, state[name].to(torch.float64).numpy())

    @pytest.mark.parametrize("protocol", [2, 4])
    def test_a_pickle_never_runs(self, here, torch, protocol):
        for name, content in (
            ("zip.pt", {"w": Bomb()}),
            ("model.pt", torch.nn.Linear(2, 2)),
            ("numpy.pt", {"w": np.ones(2)}),
        ):
            torch.save(content, name)
            assert said(name) == (
                f"{name}: holds Python objects that would run code when they are read: "
                "save model.state_dict() instead"
            )
        (here / "raw.pt").write_bytes(pickle.dumps({"w": Bomb()}, protocol=protocol))
        assert said("raw.pt").startswith("raw.pt: ")
        assert not (here / "ran").exists()

    def test_a_program(self, here, torch):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in (("constants.pkl", b"\x80\x02)."), ("version", b"3")):
                archive.writestr(f"a/{name}", text)
            archive.writestr("a/data.pkl", pickle.dumps({}, 2))
        (here / "a.pt").write_bytes(content.getvalue())
        assert said("a.pt") == "a.pt: is a TorchScript program: save model.state_dict() instead"

    def test_what_is_no_state(self, here, torch):
        torch.save([torch.ones(2)], "list.pt")
        torch.save({"epoch": 3}, "epoch.pt")
        torch.save({"w": torch.ones(3, dtype=torch.complex64)}, "complex.pt")
        torch.save({"w": torch.ones(3).to_sparse()}, "sparse.pt")
        assert said("list.pt") == "list.pt: holds no state_dict: save model.state_dict()"
        assert said("epoch.pt") == "epoch.pt: holds no state_dict: save model.state_dict()"
        assert said("complex.pt") == "complex.pt: w must be real numbers, not complex64"
        assert said("sparse.pt").startswith("sparse.pt: w cannot be read: ")

    def test_a_view_of_more_numbers_than_the_file_has(self, here, torch):
        torch.save({"w": torch.ones(1).expand(10**12)}, "a.pt")
        assert said("a.pt") == f"a.pt: has more than {checkpoint_files.MAX_NUMBERS} numbers"

    def test_a_bomb_of_zeros_is_not_unpacked(self, here, torch, monkeypatch):
        with zipfile.ZipFile("a.pt", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/data/0", bytes(1_000_000))
        monkeypatch.setattr(checkpoint_files, "MAX_BYTES", 100_000)
        assert said("a.pt") == "a.pt: must be at most 100000 bytes"

    @pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.99])
    @pytest.mark.parametrize("file", ["a.pt", "a.safetensors"])
    def test_part_of_a_file(self, here, torch, share, file):
        pytest.importorskip("safetensors")
        from safetensors.torch import save_file

        state = {"w": torch.arange(1000.0)}
        (torch.save if file == "a.pt" else save_file)(state, file)
        whole = (here / file).read_bytes()
        (here / file).write_bytes(whole[: int(share * len(whole))])
        assert said(file).startswith(f"{file}: is not a valid ")

    @pytest.mark.parametrize(
        "content",
        [
            b"hello world",
            struct.pack("<Q", 2**62) + b"{}",
            safetensors_bytes({"w": {"dtype": "F64", "shape": [10**9], "data_offsets": [0, 8]}}),
            safetensors_bytes(
                {"w": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}, bytes(4)
            ),
            safetensors_bytes({"w": {"dtype": "PY", "shape": [1], "data_offsets": [0, 8]}}),
        ],
    )
    def test_broken_safetensors(self, here, torch, content):
        pytest.importorskip("safetensors")
        (here / "a.safetensors").write_bytes(content)
        assert said("a.safetensors").startswith("a.safetensors: is not a valid safetensors file: ")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"steps": [3.5, 4]}, "steps must be two or more whole numbers that increase"),
        ({"steps": [4, 3]}, "steps must be two or more whole numbers that increase"),
        (
            {"steps": np.array([4, 3], "u8")},
            "steps must be two or more whole numbers that increase",
        ),
        ({"steps": np.array([4, 2**64 - 3], "u8")}, "steps must be two or more whole numbers"),
        ({"steps": [-1, 3]}, "steps must be two or more whole numbers that increase"),
        ({"steps": 3}, "steps must be two or more whole numbers that increase"),
        ({"losses": np.ones(3)}, "losses must have shape (2,), not (3,)"),
        ({"tensors/b": np.ones(3)}, "tensors/b must have shape (2, ...), not (3,)"),
        ({"other": np.ones(2)}, "unknown array 'other'"),
        ({"tensors/b": np.array([Bomb(), 1])}, "tensors/b contains pickled objects, which are"),
    ],
)
def test_what_is_no_recording(here, arrays, sentence):
    np.savez("a.npz", **{"steps": [0, 5], "tensors/w": np.ones((2, 3))} | arrays)
    with pytest.raises(InputError) as caught:
        checkpoint_files.read_recording("a.npz", checkpoint_hash("a.npz"))
    assert str(caught.value).startswith(f"a.npz: {sentence}") and not (here / "ran").exists()


def test_a_recording_is_not_one_checkpoint(here):
    np.savez("a.npz", **{"steps": [0, 5], "tensors/module.w": np.ones((2, 3))})
    assert said("a.npz") == "a.npz: holds several checkpoints, where one is needed"
    found = checkpoint_files.read_recording("a.npz", checkpoint_hash("a.npz"))
    assert list(found.tensors) == ["w"] and np.isnan(found.losses).all()
