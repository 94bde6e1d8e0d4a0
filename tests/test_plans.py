"""What a run stands for is known, and refused where it must be, before any work starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from hiptbench.baselines import load_baseline
from hiptbench.errors import FeatureError, RunError, TaskError, UnknownNameError
from hiptbench.files import sha256_file
from hiptbench.fractions import BY_PATIENTS
from hiptbench.heads.base import TrainedHead
from hiptbench.jobs import run_job
from hiptbench.kept import Keep
from hiptbench.plans import file_hashes, make_plan
from hiptbench.registry import make_head, settings_of
from hiptbench.requests import make_request
from hiptbench.runner import run
from hiptbench.store import Store
from hiptbench.suites import Fractions
from hiptbench.tasks import Task
from toys import baseline_file, make_home, plan_of


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


def test_a_fraction_needs_a_rule_and_must_leave_somebody(home: Path, task: Task) -> None:
    request = make_request(
        tasks=[task.name], features=home / "toy", baselines=["mean_knn"], fractions=[0.25], home=home
    )
    unruled = request.suite.model_copy(update={"fractions": Fractions(values=(1.0,), kinds=())})
    with pytest.raises(TaskError, match="No rule says how to draw 25% of fold 0"):
        make_plan(replace(request, suite=unruled))
    with pytest.raises(TaskError, match=r"lies in \(0, 1\], not 2"):
        plan_of(home, task.name, "mean_knn", fractions=[2.0])
    with pytest.raises(TaskError, match=r"A fraction of 0.001 leaves none of fold 0's \d+ train units"):
        plan_of(home, task.name, "mean_knn", fractions=[0.001])


def test_a_fraction_by_patients_is_run_in_every_draw(home: Path, task: Task) -> None:
    plan = plan_of(home, task.name, "mean_knn", fractions=[0.5, 1.0])
    half = [job for job in plan.jobs if job.protocol.fraction == 0.5]
    whole = [job for job in plan.jobs if job.protocol.fraction == 1]
    assert [(job.draw, job.fold) for job in half] == [(draw, fold) for draw in range(3) for fold in range(6)]
    assert [(job.draw, job.fold) for job in whole] == [(0, fold) for fold in range(6)]
    assert {(job.protocol.fraction_rule, job.protocol.draws, job.rule) for job in half} == {
        ("stratified patients, random_state 1", 3, BY_PATIENTS)
    }
    assert {(job.protocol.fraction_rule, job.protocol.draws, job.rule) for job in whole} == {(None, 1, None)}
    assert half[6].label == "toy_classification at 50%, toy/mean_knn, fold 0, draw 1, seed 1"
    assert len({job.fingerprint for job in plan.jobs}) == 24


def test_by_patients_replaces_the_rule_of_a_suite() -> None:
    published = make_request(suite="hipt-2022", baselines=["mean_knn"])
    assert published.rule is published.suite.fractions.rule
    assert published.rule is not None
    assert published.rule.name == "pandas sample"
    assert make_request(suite="hipt-2022", baselines=["mean_knn"], by_patients=True).rule is BY_PATIENTS


def mil(home: Path, name: str = "trained", **settings: object) -> str:
    return baseline_file(home.parent / "methods", name, "mil", **settings)


FEW_STEPS = {"recipe": "hipt-2022", "overrides": {"epochs": 2}}


def test_a_trained_head_states_how_it_was_trained(home: Path, task: Task) -> None:
    method = mil(home, model="mean", recipe="fast", overrides={"epochs": 3, "inner_val": 0.2}, device="cpu")
    job = plan_of(home, task.name, method).jobs[0]
    provenance = job.provenance
    assert (provenance.selection, provenance.device) == ("inner val", "cpu")
    assert provenance.epoch_rule == "lowest inner-validation loss of 3"
    assert provenance.precision in ("float32", "bfloat16")
    assert provenance.settings["recipe"]["precision"] == provenance.precision
    assert provenance.settings["overrides"] == {}
    assert provenance.settings["model_settings"] == {"hidden": 256, "dropout": 0.25}
    assert job.baseline.settings == provenance.settings
    assert settings_of(job.baseline.make_head()) == provenance.settings, "what is run is what is stated"


def test_the_sources_of_a_model_count(home: Path, task: Task) -> None:
    hashes = [
        plan_of(home, task.name, mil(home, model=model, **FEW_STEPS)).jobs[0].provenance.source_hash
        for model in ("mean", "max", "clam_sb")
    ]
    assert hashes[0] == hashes[1] != hashes[2]  # mean and max lie in one file


def test_a_model_that_cannot_read_the_features_is_skipped(home: Path, task: Task) -> None:
    request = make_request(
        tasks=[task.name], features=home / "toy", baselines=[mil(home, model="hipt_n"), "mean_knn"], home=home
    )
    (reason,) = make_plan(request).skipped
    assert reason == "trained: hipt_n reads regions of patches [patches, d], and these instances are vectors [8]"


def test_the_device_is_part_of_what_is_run(home: Path, task: Task) -> None:
    plan = plan_of(home, task.name, mil(home, model="mean", **FEW_STEPS), device="cpu")
    assert {job.provenance.device for job in plan.jobs} == {"cpu"}
    (knn, *_) = plan_of(home, task.name, "mean_knn", device="cuda").jobs
    assert knn.provenance.device == "cpu", "a head that knows no devices stays as it is"


def test_what_is_done_but_not_kept_is_done_again(home: Path, task: Task, tmp_path: Path) -> None:
    plan, store = plan_of(home, task.name, mil(home, model="abmil", **FEW_STEPS)), Store(tmp_path / "store")
    run(plan, store, executor="serial")
    assert plan.to_do(store) == ()
    wanted = Keep(attention=True)
    assert plan.to_do(store, wanted) == plan.jobs
    report = run(plan, store, executor="serial", keep=wanted)
    assert (len(report.finished), report.done_before) == (6, 0)
    assert plan.to_do(store, wanted) == plan.to_do(store) == ()
    assert plan.to_do(store, Keep(models=True, attention=True)) == plan.jobs
    assert run(plan, store, executor="serial", keep=wanted).done_before == 6


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


def test_a_head_of_ones_own_may_say_and_have_what_it_likes(home: Path, task: Task) -> None:
    plan = plan_of(home, task.name, "own_heads:Chatty")
    row = run_job(plan.jobs[0]).row
    assert row.history == ({"loss": 1.0},)
    assert row.provenance.settings["derived"] == 4


def test_the_files_that_training_begins_with_are_hashed(tmp_path: Path) -> None:
    weights = tmp_path / "vit4k.pth"
    weights.write_bytes(b"one")
    head = make_head("mil", {"model": "hipt_lgp", "model_settings": {"weights": str(weights)}})
    assert isinstance(head, TrainedHead)
    assert list(head.files) == [weights]
    assert file_hashes(head) == {"vit4k.pth": sha256_file(weights)}
    weights.unlink()
    with pytest.raises(RunError, match=r"There is no file .*vit4k\.pth to begin the training with"):
        file_hashes(head)


def test_a_baseline_may_be_for_one_kind_of_task_only(home: Path, task: Task) -> None:
    assert load_baseline("abmil").skip(task.spec) is None
    reason = f"abmil_cox predicts survival, {task.name} is a classification task"
    assert load_baseline("abmil_cox").skip(task.spec) == reason
