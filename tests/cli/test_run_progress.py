"""How far a run is: folds and epochs, what is left, what runs; as a bar and as lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiptbench.cli.run_display import RunLines, run_display
from hiptbench.cli.run_progress import RunProgress, clock_text
from hiptbench.messages import Message


def epoch(job: str, epoch: float, epochs: float = 20) -> Message:
    return {"job": job, "label": f"fold {job}", "epoch": epoch, "epochs": epochs, "loss": 0.5}


def test_epochs_of_running_folds_count_as_parts_of_them() -> None:
    run = RunProgress(4)
    assert (run.position, run.done, run.now, run.remaining(7.0)) == (0, 0, "", None)
    run.hear(epoch("a", 5.0, 20.0))
    assert run.position == 0.25
    run.hear(epoch("b", 10))
    assert run.position == 0.75
    run.hear(epoch("a", 20))
    assert run.position == 1.5
    run.finish("a")
    assert (run.position, run.done) == (1.5, 1)
    run.hear(epoch("b", 1))  # its worker died, and it began again
    assert run.position == 1.05


def test_folds_that_send_nothing_count_when_they_are_finished() -> None:
    run = RunProgress(4)
    run.finish("a")
    run.finish("b")
    assert (run.position, run.done, run.now) == (2, 2, "")


def test_a_message_that_comes_after_the_end_of_its_fold_is_let_go() -> None:
    run = RunProgress(4)
    run.finish("a")
    run.hear(epoch("a", 20))
    assert (run.position, run.now) == (1, "")


@pytest.mark.parametrize("message", [{}, {"loss": 0.5}, {"job": "", "epoch": 5, "epochs": 20}])
def test_a_message_that_names_no_fold_is_let_go(message: Message) -> None:
    run = RunProgress(4)
    run.hear(message)
    assert (run.position, run.now) == (0, "")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3, 30), st.integers(0, 20))),
    st.sets(st.sampled_from("abc")),
)
def test_the_position_stays_between_the_folds_done_and_all(said: list[tuple[str, int, int]], ended: set[str]) -> None:
    run = RunProgress(3)
    for job in ended:
        run.finish(job)
    for job, k, n in said:
        run.hear(epoch(job, k, n))
        assert len(ended) == run.done <= run.position <= 3


def test_what_is_left_takes_as_long_as_what_is_done_did() -> None:
    run = RunProgress(8)
    run.finish("a")
    run.hear(epoch("b", 10))
    run.hear(epoch("c", 10))
    assert run.remaining(10.0) == pytest.approx(30)
    for job in "bcdefgh":
        run.finish(job)
    assert run.remaining(100.0) == 0


def test_the_fold_heard_last_is_named_and_the_others_are_counted() -> None:
    run = RunProgress(4)
    run.hear({"job": "a", "label": "fold a"})
    assert run.now == "fold a"
    run.hear({"job": "b", "label": "fold b", "epoch": 3.0})
    assert run.now == "fold b, epoch 3 (+1 more)"
    run.hear(epoch("a", 5))
    assert run.now == "fold a, epoch 5/20 (+1 more)"
    run.finish("a")
    assert run.now == "fold b, epoch 3"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-:--:--"), (0.0, "0:00:00"), (59.6, "0:01:00"), (3661.0, "1:01:01"), (360_000.0, "100:00:00")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert clock_text(seconds) == text


def test_a_file_gets_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    now = [1000.0]
    lines = RunLines(4, clock=lambda: now[0])
    lines.finish("a")
    assert capsys.readouterr().err == ""
    now[0] += 60
    lines.hear(epoch("b", 5))
    assert capsys.readouterr().err == ("    1 of 4 folds done, 0:01:00 gone, about 0:02:12 to go; fold b, epoch 5/20\n")
    now[0] += 59
    lines.hear(epoch("b", 6))
    assert capsys.readouterr().err == ""
    now[0] += 3
    lines.finish("b")
    assert capsys.readouterr().err == "    2 of 4 folds done, 0:02:02 gone, about 0:02:02 to go\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with run_display(4) as display:
        display.finish("a")
        display.hear({"job": "b", "label": "brca [bold], fold 3", "epoch": 5.0, "epochs": 20.0})
    shown = capsys.readouterr().err
    assert "1/4 folds" in shown
    assert "brca [bold], fold 3, epoch 5/20" in shown
    assert "to go" in shown


def test_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with run_display(1) as display:
        display.finish("a")
    assert capsys.readouterr().err == ""
