"""Stops of every command at many moments."""
import pytest

from interrupts import AT_WORK, COMMANDS, interrupt_twice, make_place, stop, stop_the_building, stop_the_start


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stop_of_every_command(place, tmp_path, name):
    stop(place, tmp_path, name, [.05, .3, .6, .9, 1.4, 2, AT_WORK, AT_WORK])


def test_a_stop_while_training_starts(place, tmp_path):
    stop_the_start(place, tmp_path, [.03 + .1 * i for i in range(14)])


def test_a_second_interrupt_ends_at_once(place, tmp_path):
    interrupt_twice(place, tmp_path, 10)


def test_a_stop_while_kernels_are_built(place, tmp_path):
    stop_the_building(place, tmp_path)
