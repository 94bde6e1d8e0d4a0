"""What a run stands for is known, and refused where it must be, before any work starts."""

from pathlib import Path

import pytest

from hiptbench.errors import FeatureError, RunError, TaskError, UnknownNameError
from hiptbench.plans import make_plan
from hiptbench.requests import make_request
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.tasks import Task
from toys import make_home, plan_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def task(home: Path) -> Task:
    return make_home(home)


def test_a_plan_lists_every_fold_of_every_seed_that_matters(home: Path, task: Task) -> None:
    plan = plan_of(home, task.name, "mean_knn", seeds=[1, 2])
    assert [(job.fold, job.seed) for job in plan.jobs] == [(fold, 1) for fold in range(6)]  # nothing is drawn
    drawn = plan_of(home, task.name, "own_heads:Sampled", seeds=[1, 2])
    assert [(job.fold, job.seed) for job in drawn.jobs] == [(fold, seed) for seed in (1, 2) for fold in range(6)]
    assert len({job.fingerprint for job in drawn.jobs}) == 12


def test_a_job_states_what_its_number_stands_on(home: Path, task: Task) -> None:
    job = plan_of(home, task.name, "mean_knn").jobs[0]
    protocol, provenance = job.protocol, job.provenance
    assert (protocol.suite, protocol.task, protocol.fraction) == ("own:toy_classification", task.name, 1.0)
    assert (protocol.cohort, protocol.labels, protocol.splits) == tuple(
        getattr(task.hashes, name) for name in ("cohort", "labels", "splits")
    )
    assert (protocol.folds, protocol.evaluated_units, protocol.missing_units, protocol.missing_slides) == (6, 60, 0, 0)
    assert provenance.head == "hiptbench.heads.knn:KNN"
    assert provenance.settings == {"n_neighbors": 5, "weights": "uniform", "metric": "euclidean"}
    assert provenance.feature_hash
    assert provenance.source_hash
    assert provenance.versions["numpy"]
    assert job.kind == "measured"
    assert job.label == "toy_classification, toy/mean_knn, fold 0, seed 1"


def test_what_is_given_twice_is_run_once(home: Path, task: Task) -> None:
    request = make_request(
        tasks=[task.name, task.name],
        features=home / "toy",
        baselines=["own_heads:Sampled", "own_heads:Sampled"],
        seeds=[1, 1],
        fractions=[1.0, 1.0],
        home=home,
    )
    assert len(make_plan(request).jobs) == 6


def test_features_that_are_simulated_make_a_synthetic_result(home: Path, task: Task) -> None:
    card = home / "toy" / "card.yaml"
    card.write_text(card.read_text().replace("synthetic: false", "synthetic: true"))
    assert {job.kind for job in plan_of(home, task.name, "mean_knn").jobs} == {"synthetic"}


def test_a_method_that_does_not_fit_is_skipped_with_its_reason(home: Path, task: Task) -> None:
    request = make_request(tasks=[task.name], features=home / "toy", baselines=["mean_knn", "mean_cox"], home=home)
    plan = make_plan(request)
    assert plan.skipped == ("mean_cox predicts survival, toy_classification is a classification task",)
    assert {job.baseline.name for job in plan.jobs} == {"mean_knn"}
    with pytest.raises(RunError, match="nothing to run: mean_cox predicts survival, toy_classification is"):
        plan_of(home, task.name, "mean_cox")


def test_a_task_without_features_of_its_own_needs_some(home: Path, task: Task) -> None:
    with pytest.raises(RunError, match=f"{task.name} has no features of its own: give --features"):
        make_plan(make_request(tasks=[task.name], baselines=["mean_knn"], home=home))


def test_a_fraction_needs_a_rule(home: Path, task: Task) -> None:
    with pytest.raises(TaskError, match="No rule says how to draw 25% of fold 0"):
        plan_of(home, task.name, "mean_knn", fractions=[0.25])
    with pytest.raises(TaskError, match=r"lies in \(0, 1\], not 2"):
        plan_of(home, task.name, "mean_knn", fractions=[2.0])


@pytest.fixture
def lacking(home: Path, task: Task) -> Task:
    for unit in (task.splits[0].test[0], task.splits[1].test[0]):
        (slide,) = task.slides(unit)
        (home / "toy" / f"{slide}.npy").unlink()
    return task


def test_missing_slides_are_refused_and_named(home: Path, lacking: Task) -> None:
    with pytest.raises(
        FeatureError, match=r"'toy' lack 2 of the 60 slides of toy_classification: slide.*--allow-missing"
    ):
        plan_of(home, lacking.name, "mean_knn")


def test_missing_slides_may_be_allowed_under_another_protocol(home: Path, lacking: Task, tmp_path: Path) -> None:
    plan = plan_of(home, lacking.name, "mean_knn", allow_missing=True)
    protocol = plan.jobs[0].protocol
    assert (protocol.missing_units, protocol.missing_slides, protocol.evaluated_units) == (2, 2, 58)
    assert protocol.cohort != lacking.hashes.cohort
    report = run(plan, Store(tmp_path / "store"), executor="serial")
    assert sum(row.n or 0 for row in report.finished) == 58


def test_names_are_looked_up_first(home: Path, task: Task) -> None:
    for settings, problem in (
        ({"tasks": [task.name], "baselines": ["mean_nkn"]}, "no baseline 'mean_nkn'.*mean 'mean_knn'"),
        ({"suite": "hipt-2023", "baselines": ["mean_knn"]}, "no suite 'hipt-2023'.*mean 'hipt-2022'"),
        ({"suite": "hipt-2022", "tasks": ["tcga_brca"], "baselines": []}, "no task in the suite hipt-2022 'tcga_brca'"),
    ):
        with pytest.raises(UnknownNameError, match=problem):
            make_request(home=home, **settings)
    with pytest.raises(UnknownNameError, match=r"no task 'toy_clasification'.*mean 'toy_classification'"):
        plan_of(home, "toy_clasification", "mean_knn")
    with pytest.raises(UnknownNameError, match="no feature set or folder 'unii'"):
        make_plan(make_request(tasks=[task.name], features="unii", baselines=["mean_knn"], home=home))


def test_something_must_be_asked_for_and_of_one_suite() -> None:
    with pytest.raises(RunError, match="Say what to run: a suite with --suite, or a task with --task"):
        make_request(baselines=["mean_knn"])
    with pytest.raises(RunError, match=r"belong to several suites \(hipt-2022, own:mine\); run one suite at a time"):
        make_request(tasks=["tcga_brca_subtype", "mine"], baselines=["mean_knn"])


def test_a_suite_may_be_narrowed_to_some_of_its_tasks() -> None:
    whole = make_request(suite="hipt-2022", baselines=["mean_knn"])
    assert len(whole.tasks) == 9
    some = make_request(suite="hipt-2022", tasks=["tcga_lung_subtype"], baselines=["mean_knn"])
    assert (some.suite, some.tasks) == (whole.suite, ("tcga_lung_subtype",))
    found = make_request(tasks=["tcga_lung_subtype", "tcga_stad_survival"], baselines=["mean_knn"])
    assert found.suite == whole.suite
