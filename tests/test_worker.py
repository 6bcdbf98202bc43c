"""The worker: its jobs are done at their times, a failing one is told without its words, and two never hurt."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask

from clinic import checkup, worker
from clinic.shared import backups, clock, mail, queue_file
from clinic.shared.database import transaction
from clinic.shared.logs import set_up_logs
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_worker_does_its_jobs_and_says_of_a_failure_only_its_kind(
    app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs()  # onto this test's own standard error
    done, went_wrong = threading.Event(), threading.Event()

    def fail(_app: Flask) -> None:
        went_wrong.set()
        raise ValueError("warfarin")

    jobs = (worker.Job(fail, 5), worker.Job(lambda _app: done.set(), 5))
    monkeypatch.setattr(worker, "JOBS", jobs)
    one = worker.worker_for(app)
    one.start()
    assert done.wait(20)
    assert went_wrong.wait(20)
    one.stop(graceful=True)
    said = capsys.readouterr().err
    assert "job_failed" in said
    assert "ValueError" in said
    assert "warfarin" not in said


def test_a_backup_that_failed_is_told_under_its_own_name_with_the_reason(
    app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """docs/operations.md names it as what somebody has to be told of."""
    set_up_logs()

    def fail(_app: Flask) -> None:
        tried.set()
        raise backups.BackupFailed("pg_dump is not on this machine")

    tried = threading.Event()
    fail.__name__ = worker.save_when_due.__name__
    monkeypatch.setattr(worker, "JOBS", (worker.Job(fail, 5),))
    one = worker.worker_for(app)
    one.start()
    assert tried.wait(20)
    one.stop(graceful=True)
    said = capsys.readouterr().err
    assert "backup_failed" in said
    assert "pg_dump is not on this machine" in said


def test_every_job_can_be_done_and_mails_leave_as_files_without_a_server(app: Flask) -> None:
    factories.make_clinic()
    factories.make_location(zone="America/New_York")
    app.config["CLINIC_BACKUP_HOURS"] = 0
    with transaction() as session:
        mail.queue_mail(
            session, "visit_cannot_go_ahead", "pat@people.example", key="k", now=clock.now(), name="Pat",
            when="Monday", phone="1", clinic="Still Waters",
        )  # fmt: skip
    for job in worker.JOBS:
        worker.do(app, job)
    [file] = Path(app.config["CLINIC_MAIL_DIR"]).iterdir()
    assert b"Your visit on Monday cannot go ahead" in file.read_bytes()


def test_the_queue_is_a_file_of_its_own(tmp_path: Path, database: str) -> None:
    queue = worker.queue_at("", tmp_path / "queue" / "queue.db")
    assert type(queue).__name__ == "SqliteHuey"
    assert (tmp_path / "queue" / "queue.db").exists()


@pytest.mark.parametrize("whole_bytes", [0, 4096], ids=["another file", "zeros after the first page"])
def test_a_damaged_queue_is_made_anew_for_nothing_is_lost_with_it(
    app: Flask, whole_bytes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs()
    path = queue_file.place(app.config["CLINIC_DATA_DIR"])
    worker.queue_at("", path).storage.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:whole_bytes] + (b"\0" if whole_bytes else b"x") * (len(whole) - whole_bytes))
    assert [one.grade for one in checkup.before_worker(app, now=clock.now())] == [checkup.Grade.LOOK]

    worker.worker_for(app)
    assert f"queue_made_anew' file='{path}'" in capsys.readouterr().err
    assert not queue_file.is_damaged(path)
    assert checkup.before_worker(app, now=clock.now()) == []
    worker.worker_for(app)
    assert "queue_made_anew" not in capsys.readouterr().err, "one that is whole stays"
