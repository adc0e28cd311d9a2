"""What ``--device`` and a devices file may say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import InvalidArgumentError
from linnet_bench.remote.address import Address, parse_address, read_devices_file, select_devices
from linnet_bench.remote.outputs import file_name, plan_outputs


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("ssh://pi@raspberrypi.local", "pi", "raspberrypi.local", None),
        ("ssh://MyBoard", "", "MyBoard", None),  # a name of ~/.ssh/config, which tells upper from lower case
        ("ssh://root@10.0.0.7:2222", "root", "10.0.0.7", 2222),
        ("ssh://pi@[fe80::1%25eth0]:22", "pi", "fe80::1%25eth0", 22),
        ("ssh://me@board/", "me", "board", None),
    ],
)
def test_ssh(text: str, user: str, host: str, port: int | None) -> None:
    found = parse_address(text)
    assert (found.kind, found.name, found.user, found.host, found.port) == ("ssh", text, user, host, port)


def test_phones_and_this_machine() -> None:
    assert parse_address("adb") == Address(name="adb", kind="adb")
    assert parse_address("adb:R58M42") == Address(name="adb:R58M42", kind="adb", serial="R58M42")
    assert parse_address("adb:192.168.0.7:5555").serial == "192.168.0.7:5555"
    assert parse_address("local").kind == "local"


@pytest.mark.parametrize(
    "text",
    ["", "pi", "pi@board", "http://board", "ssh:board", "ssh://", "ssh://pi@", "ssh://board:x", "ssh://board:99999",
     "ssh://board/path", "ssh://board?x=1", "ssh://-oProxyCommand=x", "ssh://-l@board", "ssh://a b", "adb:", "adb:-x",
     "adb:a b", "usb:1", "ssh://pi@board;reboot"],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="expected"):
        parse_address(text)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidArgumentError, match="ssh-copy-id") as refused:
        parse_address("ssh://pi:raspberry@board")
    assert "raspberry" not in str(refused.value)


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        found = parse_address(text)
    except InvalidArgumentError:
        return
    assert not found.host.startswith("-")
    assert not found.user.startswith("-")
    assert not found.serial.startswith("-")


def test_a_devices_file(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text('[pi4]\ndevice = "ssh://pi@pi4.local"\npython = "/opt/python3.12"\n[phone]\ndevice = "adb:R58M"\n')
    known = read_devices_file(path)
    assert known["pi4"] == Address(name="pi4", kind="ssh", user="pi", host="pi4.local", python="/opt/python3.12")
    assert select_devices([], known) == tuple(known.values())
    assert [address.name for address in select_devices(["phone", "local"], known)] == ["phone", "local"]
    with pytest.raises(InvalidArgumentError, match="pi4 and ssh://pi@pi4.local are one device"):
        select_devices(["pi4", "ssh://pi@pi4.local"], known)


def test_a_byte_order_mark_is_no_part_of_a_devices_file(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text("\ufeff[kitchen]\ndevice = 'ssh://kitchen'\n")
    assert list(read_devices_file(path)) == ["kitchen"]


def test_everything_that_is_wrong_with_a_devices_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text('[a]\ndevice = "ssh://pi@a"\nthreads = 3\n[b]\n[c]\ndevice = "pi"\n[local]\ndevice = "adb"\n')
    with pytest.raises(InvalidArgumentError) as refused:
        read_devices_file(path)
    for part in ("[a] has unknown keys threads", "[b] expected device", "[c] --device 'pi'", "[local] is no name"):
        assert part in str(refused.value)
    path.write_text("[a")
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        read_devices_file(path)
    path.write_text("")
    with pytest.raises(InvalidArgumentError, match="names no device"):
        read_devices_file(path)


ADDRESSES = [parse_address("ssh://pi@pi4.local:2222"), parse_address("adb:10.0.0.7:5555")]


def test_names_of_files() -> None:
    assert [file_name(address) for address in ADDRESSES] == ["pi@pi4.local-2222", "adb-10.0.0.7-5555"]


def test_one_device_fills_a_file_and_several_fill_a_folder(tmp_path: Path) -> None:
    one = plan_outputs(tmp_path / "out.json", ADDRESSES[:1], "--output", force=False)
    assert list(one.values()) == [tmp_path / "out.json"]
    several = plan_outputs(tmp_path / "records", ADDRESSES, "--output", force=False)
    assert [path.name for path in several.values()] == ["pi@pi4.local-2222.json", "adb-10.0.0.7-5555.json"]
    assert (tmp_path / "records").is_dir()
    with pytest.raises(InvalidArgumentError, match="one file for 2 devices, expected a folder"):
        plan_outputs(tmp_path / "out.json", ADDRESSES, "--output", force=False)
    several[ADDRESSES[1].name].write_text("mine")
    with pytest.raises(InvalidArgumentError, match="--force"):
        plan_outputs(tmp_path / "records", ADDRESSES, "--output", force=False)
    assert plan_outputs(tmp_path / "records", ADDRESSES, "--output", force=True) == several
