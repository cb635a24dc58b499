"""Configuration files: every mistake at once, with its path."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from wire.checked_toml import TomlProblems, convert, load, loads


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]
    size: Annotated[int, msgspec.Meta(ge=1)] = 1


class Serial(msgspec.Struct, tag="serial", tag_field="line"):
    port: str


class Tcp(msgspec.Struct, tag="tcp", tag_field="line"):
    host: str
    port: int = 9100


class Outer(msgspec.Struct):
    name: str
    inner: list[Inner] = msgspec.field(name="inners", default_factory=list)
    one: Inner | None = None
    by_name: dict[str, Inner] = {}
    device: Serial | Tcp | None = None
    ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise ValueError("this name is taken")


def problems(text: str) -> list[str]:
    with pytest.raises(TomlProblems) as caught:
        loads(text, Outer)
    return caught.value.problems


def test_a_right_file_is_converted_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        'name = "x"\nratio = 2\n[[inners]]\nid = "a"\n[one]\nid = "b"\nsize = 3\n'
        '[by_name.k]\nid = "c"\n[device]\nline = "tcp"\nhost = "h"\n'
    )
    outer = load(file, Outer)
    assert outer == Outer(
        name="x", inner=[Inner("a")], one=Inner("b", 3), by_name={"k": Inner("c")}, device=Tcp("h"), ratio=2.0
    )


def test_every_mistake_is_listed_with_its_path() -> None:
    found = problems(
        'ratio = "x"\nnope = 1\n[[inners]]\nid = "A"\nsize = 0\n[[inners]]\nid = "b"\nextra = 1\n'
        "[one]\nsize = 1\n[by_name.k]\nid = 3\n[device]\nline = 'tcp'\nport = 'z'\n"
    )
    paths = sorted(problem.split(": ")[0] for problem in found)
    assert paths == sorted(
        [
            "ratio",
            "nope",
            "name",
            "inners[0].id",
            "inners[0].size",
            "inners[1].extra",
            "one.id",
            "by_name.k.id",
            "device.port",
            "device.host",
        ]
    )


def test_an_unknown_tag_is_a_problem() -> None:
    assert problems('name = "x"\n[device]\nline = "pigeon"\n')[0].startswith("device: ")


def test_a_table_where_a_text_stands() -> None:
    assert problems('name = "x"\none = "text"\n')[0].startswith("one: ")
    assert problems('name = "x"\ninners = ["text"]\n')[0].startswith("inners[0]: ")


def test_the_check_of_a_whole_struct_is_reported() -> None:
    assert "this name is taken" in problems('name = "forbidden"')[0]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"= broken", b"a = [" * 3000])
def test_a_file_that_is_no_toml_is_one_clear_problem(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(content)
    with pytest.raises(TomlProblems) as caught:
        load(file, Outer)
    assert len(caught.value.problems) == 1


def test_a_missing_file_is_one_clear_problem(tmp_path: Path) -> None:
    with pytest.raises(TomlProblems, match=r"none\.toml"):
        load(tmp_path / "none.toml", Outer)


def test_plain_types_can_be_converted_too() -> None:
    assert convert([1, 2], tuple[int, ...]) == (1, 2)
