"""Reports of any size with the shapes of real ones; every number is made up from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from made_details import details

from hiptbench.files import sha256_lines
from hiptbench.report.data import ReportData
from hiptbench.report.family_data import Comparison, Family, Rank
from hiptbench.report.run_data import Bounds, FoldValue, RunReport
from hiptbench.report.table_data import ErratumReport, TableCell, TableReport
from hiptbench.report.task_data import FindingReport, SuiteReport, TaskReport
from hiptbench.results import Protocol, Provenance, ResultKind

SUITES = ("hipt-2022", "hipt-2022-corrected", "hipt-2022-synthetic")
CLASSIFICATION = ("tcga_brca_subtype", "tcga_lung_subtype", "tcga_kidney_subtype")
SURVIVAL = (
    "tcga_brca_survival",
    "tcga_coadread_survival",
    "tcga_kirc_survival",
    "tcga_kirp_survival",
    "tcga_luad_survival",
    "tcga_stad_survival",
)
TASKS = (*CLASSIFICATION, *SURVIVAL)
TITLES = {
    "tcga_brca_subtype": "Breast carcinoma, ductal (IDC) against lobular (ILC)",
    "tcga_lung_subtype": "Lung carcinoma, adenocarcinoma against squamous cell",
    "tcga_kidney_subtype": "Renal cell carcinoma, clear cell, papillary, chromophobe",
}
CLASSES = {
    "tcga_brca_subtype": {"IDC": 726, "ILC": 149},
    "tcga_lung_subtype": {"LUAD": 492, "LUSC": 466},
    "tcga_kidney_subtype": {"CCRCC": 489, "PRCC": 298, "CHRCC": 118},
}
FEATURES = ("hipt_vit4k_region", "resnet50_patch", "mean_rgb")
BASELINES = ("abmil", "clam_sb", "dsmil", "transmil", "hipt_lgp", "max", "mean_knn", "mean_logreg", "mil", "noisy_and")
NASTY = ('<script>alert("1")</script>', 'it\'s & "quoted" </td>', "Größe/µm π", "con", "x" * 90)
PRINTED = "Attention MIL (printed)"
RULE = "pandas sample, random_state 1"
DEFINITION = "Area under the ROC curve of the class-1 probability; ties count one half."
ESTIMAND = "what these fitted models reach on new patients like the tested ones; training was not repeated"


@dataclass(frozen=True)
class Method:
    features: str
    baseline: str
    kind: ResultKind
    skill: float


def made_data(
    *,
    tasks: Sequence[str] = TASKS,
    suites: Sequence[str] = SUITES,
    methods: int = 10,
    most_runs: int | None = None,
    curves: bool = True,
    nasty: bool = False,
    seed: int = 0,
) -> ReportData:
    """Return a report.

    Args:
        tasks: Of each suite.
        suites: Names of suites; a name with "synthetic" in it makes its runs synthetic.
        methods: Measured methods on each task; one more is published in the first suite.
        most_runs: Where to cut the runs; comparisons are left out then.
        curves: Whether runs have curves, attention and training.
        nasty: Whether names hold what must be escaped.
        seed: Of all numbers.
    """
    rng = np.random.default_rng(seed)
    chosen = _methods(methods, nasty)
    all_tasks = [_task(suite, name) for suite in suites for name in tasks]
    runs = [run for task in all_tasks for run in _runs(rng, task, chosen, curves)][:most_runs]
    return ReportData(
        rows_sha256=sha256_lines(()),
        version="0.1.0",
        estimand=ESTIMAND,
        suites=tuple(_suite(name, tasks, nasty) for name in suites),
        tasks=tuple(all_tasks),
        runs=tuple(runs),
        families=() if most_runs else tuple(_families(rng, all_tasks, runs)),
        tables=tuple(_tables(rng, runs)),
        notes=("3 runs of an older version of the code are left out: `--all-variants` shows them.",),
    )


def _methods(count: int, nasty: bool) -> list[Method]:
    names = [(features, baseline) for features in FEATURES for baseline in BASELINES]
    names += [(FEATURES[0], f"abmil_variant_{index:03d}") for index in range(max(0, count - len(names)))]
    names = names[:count]
    if nasty:
        names[: len(NASTY)] = [(FEATURES[0], NASTY[0]), *((name, "abmil") for name in NASTY[1:])]
    own = [Method(*name, "measured", 0.9 - 0.35 * place / count) for place, name in enumerate(names)]
    return [*own, Method("hipt_vit256_patch", "DeepAttnMISL (1 epoch)", "published", 0.7)]


def _suite(name: str, tasks: Sequence[str], nasty: bool) -> SuiteReport:
    return SuiteReport(
        name=name,
        title="The nine slide-level tasks of HIPT" + (" <b>&amp;</b>" if nasty else f" ({name})"),
        citation="Chen et al., CVPR 2022 (arXiv 2206.02647)",
        cohort="Exactly the units and slides that the published numbers stand on",
        tasks=tuple(tasks),
        synthetic="synthetic" in name,
    )


def _task(suite: str, name: str) -> TaskReport:
    classes = CLASSES.get(name, {})
    counts = classes or {"events": 128, "censored": 769}
    units = sum(counts.values())
    return TaskReport(
        suite=suite,
        name=name,
        title=TITLES.get(name) or f"Overall survival, {name.split('_')[1].upper()}",
        kind="classification" if classes else "survival",
        unit="slide" if classes else "case",
        classes=tuple(classes),
        endpoint=None if classes else "overall survival",
        licence="Apache-2.0 with Commons Clause; slides open access (NIH GDC)",
        citation="Chen et al., Scaling Vision Transformers to Gigapixel Images, CVPR 2022",
        folds=10 if classes else 5,
        scheme="monte carlo" if classes else "partition",
        evaluate_on="test" if classes else "val",
        units=units,
        cases=units - 38,
        slides=units if classes else units + 21,
        counts=counts,
        metric="auc" if classes else "c_index",
        metric_definition=DEFINITION,
        lint=_findings(suite, name),
        lint_facts={"test_slides": 822, "test_slides_patient_in_train": 53, "slides_ever_tested": 569, "sites": None},
    )


def _findings(suite: str, name: str) -> tuple[FindingReport, ...] | None:
    if suite.endswith("synthetic"):
        return None
    if suite.endswith("corrected"):
        return ()
    leak = "30 patients are in train and test of the same fold, in 10 of 10: 53 of 822 tested slides (6.4%)."
    never = "306 of 875 slides are listed but tested in no fold."
    return (
        FindingReport(code="patient_in_train_and_test", severity="error", message=leak, numbers={"slides": 53}),
        FindingReport(
            code="patient_in_val", severity="warning", message="30 patients are in train and val.", numbers={}
        ),
        FindingReport(code="never_tested", severity="note", message=never, numbers={"slides": 306, "of": 875}),
    )


def _runs(rng: np.random.Generator, task: TaskReport, methods: Sequence[Method], curves: bool) -> Iterator[RunReport]:
    synthetic = task.suite.endswith("synthetic")
    for fraction in (0.25, 1.0) if task.kind == "classification" else (1.0,):
        for method in methods:
            if method.kind == "published" and task.suite != SUITES[0]:
                continue
            kind = "synthetic" if synthetic else method.kind
            yield _run(rng, task, Method(method.features, method.baseline, kind, method.skill), fraction, curves)


def _run(rng: np.random.Generator, task: TaskReport, method: Method, fraction: float, curves: bool) -> RunReport:
    easier = 0.06 if task.kind == "classification" else -0.2
    skill = method.skill + easier - 0.03 * (fraction < 1)
    values = np.clip(rng.normal(skill, 0.05, task.folds), 0.3, 0.999).round(5).tolist()
    mean = float(np.mean(values))
    published = method.kind == "published"
    events = None if task.kind == "classification" or published else task.counts["events"]
    protocol = _protocol(task, fraction)
    half = float(rng.uniform(0.02, 0.05))
    return RunReport(
        card=f"card-{rng.integers(16**10):010x}",
        kind=method.kind,
        suite=task.suite,
        task=task.name,
        features=method.features,
        baseline=method.baseline,
        printed=PRINTED if published else None,
        fraction=fraction,
        metric=task.metric,
        mean=mean,
        sd_folds=float(np.std(values, ddof=1)),
        sd_seeds=None if published else float(rng.uniform(0.001, 0.02)),
        n_seeds=1 if published else 5,
        n_draws=1,
        n_units=protocol.evaluated_units,
        n_evaluations=None if published else protocol.evaluated_units + 200,
        n_events=events,
        folds=tuple(_fold(index, value, None if published else 82, events) for index, value in enumerate(values)),
        interval=None
        if published
        else Bounds(low=mean - half, high=min(1.0, mean + 0.9 * half), draws=2000, redrawn=3),
        interval_why="only the fold values are published, not the predictions" if published else None,
        contamination="encoder pretrained on TCGA, which holds this cohort" if "hipt" in method.features else None,
        reproduced="not reproduced" if method.baseline == "hipt_lgp" else None,
        errata="E5 E6?" if published else None,
        of_repeat=None if published else "seed 1 (of 5)",
        **details(rng, task, curves=curves and not published),
        protocol=protocol,
        protocol_id=f"{task.suite}-{task.name}-{fraction:g}",
        metric_definition=DEFINITION,
        provenance=_provenance(method, task),
        dates=None if published else ("2026-11-20", "2026-11-21"),
        seconds=None if published else 412.7,
        remake=(f"hiptbench run --task {task.name} --baseline {method.baseline}", "hiptbench results verify"),
    )


def _fold(index: int, value: float, n: int | None, events: int | None) -> FoldValue:
    return FoldValue(fold=index, value=value, n=n, events=None if events is None else events // 5)


def _protocol(task: TaskReport, fraction: float) -> Protocol:
    return Protocol(
        suite=task.suite,
        task=task.name,
        task_kind=task.kind,
        cohort="2e030c101faa70c33af41325db27ed58bb080b44fe86ba4d07fa5d5b7b167c85",
        labels="abc1adc6ba24d8e40e87149b8938c9465baffad3be91d16be31191116c2b050c",
        splits="68fb8abb5f7d14f07e2d788da3e8edb42b22656bdcc1a871f505d6b44a1cee12",
        folds=task.folds,
        evaluated_units=task.units - 300,
        fraction=fraction,
        fraction_rule=RULE if fraction < 1 else None,
        evaluate_on="test" if task.kind == "classification" else "val",
        unit=task.unit,
    )


def _provenance(method: Method, task: TaskReport) -> Provenance:
    if method.kind == "published":
        return Provenance(
            epoch_rule="last of 20", device="cuda", precision="float32", origin="mahmoodlab/HIPT, results/5"
        )
    return Provenance(
        feature_hash="4b0c50ef60118f164f3ccdad921fe115c0237f7b47e5681cb7ddef2405681d59",
        head="hiptbench.heads.mil:Mil",
        settings={"model": method.baseline, "lr": 2e-4, "epochs": 20, "optimiser": {"name": "adamw", "decay": 0.01}},
        epoch_rule="last of 20",
        precision="float32",
        versions={"torch": "2.13.0", "numpy": "2.4.6"},
        source_hash="13489efa2bd9fd7c0b2ad099a8c002e5a519580349e2d5657f822e13ca4688ce",
    )


def _families(rng: np.random.Generator, tasks: Sequence[TaskReport], runs: Sequence[RunReport]) -> Iterator[Family]:
    for suite in dict.fromkeys(task.suite for task in tasks):
        for kind, fraction in (("classification", 0.25), ("classification", 1.0), ("survival", 1.0)):
            names = tuple(task.name for task in tasks if (task.suite, task.kind) == (suite, kind))
            own = [run for run in runs if (run.suite, run.fraction) == (suite, fraction) and run.task in names]
            measured = [run for run in own if run.kind != "published"]
            if names and len({run.method for run in measured}) > 1:
                yield _family(rng, suite, fraction, kind, names, measured)


def _family(
    rng: np.random.Generator, suite: str, fraction: float, kind: str, tasks: tuple[str, ...], runs: Sequence[RunReport]
) -> Family:
    methods = list(dict.fromkeys(run.method for run in runs))
    cards = {(run.task, run.method): run for run in runs}
    pairs = [(cards[task, name], cards[task, methods[0]]) for task in tasks for name in methods[1:]]
    pairs = pairs[:-1] if len(pairs) > 1 else pairs  # a method may lack a task
    return Family(
        suite=suite,
        fraction=fraction,
        fraction_rule=RULE if fraction < 1 else None,
        kind=kind,
        results=runs[0].kind,
        reference=methods[0],
        chosen="the best mean over the tasks, after the fact: differences from it look larger than they are",
        tasks=tasks,
        comparisons=tuple(_comparison(rng, *pair) for pair in pairs),
        ranks=tuple(_rank(place, name, len(methods)) for place, name in enumerate(methods)),
        caption=f"N = {len(tasks)} tasks, all of TCGA; no p below 0.03 can be attained with so few",
        friedman_p=0.041,
        critical_difference=0.35 * len(methods),
    )


def _comparison(rng: np.random.Generator, run: RunReport, reference: RunReport) -> Comparison:
    difference = run.mean - reference.mean
    p = float(np.exp(-abs(difference) * rng.uniform(5, 40)))
    p_adjusted = min(1.0, 9 * p)
    return Comparison(
        task=run.task,
        method=run.method,
        card=run.card,
        reference_card=reference.card,
        difference=difference,
        interval=Bounds(low=difference - 0.03, high=difference + 0.03, draws=2000, redrawn=0),
        p=p,
        p_adjusted=p_adjusted,
        test="Nadeau-Bengio corrected t over folds; heuristic on a partition",
        verdict="lower" if p_adjusted < 0.05 else "not distinguishable",
    )


def _rank(place: int, method: str, count: int) -> Rank:
    mean = 1 + place * (count - 1) / count
    inside = {"low": max(1.0, mean - 1.2), "high": min(float(count), mean + 1.1)}
    low, high = -0.01 * place - 0.02, -0.01 * place + 0.02
    bounds = Bounds(low=low, high=high, draws=2000, redrawn=0)
    outcome = (None, None, None, None, None) if place == 0 else (-0.01 * place, bounds, 0, 2, 1)
    names = ("mean_difference", "interval", "wins", "ties", "losses")
    return Rank(method=method, mean_rank=mean, **inside, **dict(zip(names, outcome, strict=True)))


def _tables(rng: np.random.Generator, runs: Sequence[RunReport]) -> Iterator[TableReport]:
    ours = next((run for run in runs if run.kind == "measured"), None)
    cells = []
    for task in CLASSIFICATION:
        for method in ("MIL", "CLAM-SB", "DS-MIL", "HIPT"):
            for fraction in (0.25, 1.0):
                printed = (round(float(rng.uniform(0.7, 0.95)), 3), 0.06)
                linked = ours if (task, method) == (CLASSIFICATION[0], "HIPT") else None
                cells.append(
                    TableCell(
                        task=task,
                        method=method,
                        fraction=fraction,
                        printed=None if method == "DS-MIL" else printed,
                        status="not established" if method == "DS-MIL" else "printed",
                        recomputed=(printed[0] + 0.0004, 0.061),
                        ours=(linked.mean, linked.sd_folds) if linked else None,
                        corrected=None,
                        marks=("E5", "E6?") if "kidney" in task else ("E5",),
                        cards={"ours": linked.card} if linked else {},
                    )
                )
    yield TableReport(
        name="hipt-2022-subtyping",
        title="HIPT (CVPR 2022), Table 1: slide-level subtyping, AUC, 10 folds",
        metric="auc",
        cells=tuple(cells),
        errata=(
            ErratumReport(id="E5", sentence="The ten folds are repeated random splits by slide; test sets overlap."),
            ErratumReport(id="E6", sentence="11 of the 118 slides labelled chromophobe are of normal tissue."),
        ),
        sources=("Chen et al., CVPR 2022, Table 1 (arXiv 2206.02647)",),
    )
