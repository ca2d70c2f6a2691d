"""A sample of stops at moments of every command; test_interrupts_all.py has more."""
import pytest

from interrupts import AT_WORK, COMMANDS, interrupt_twice, make_place, stop, stop_the_start


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stop_of_every_command(place, tmp_path, name):
    stop(place, tmp_path, name, [AT_WORK])


def test_a_stop_while_training_starts(place, tmp_path):
    stop_the_start(place, tmp_path, [.1, .9])


def test_a_second_interrupt_ends_at_once(place, tmp_path):
    interrupt_twice(place, tmp_path, 2)
