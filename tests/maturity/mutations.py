"""Features that are taken out of this repository, one at a time, and the question that each answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from maturity.judging import Result

Texts = dict[str, str]
Edit = Callable[[Texts, dict[str, Result]], Texts]
CODE = r"\.(py|toml|ya?ml|sh|json)$|Makefile$"


@dataclass(frozen=True)
class Mutation:
    """What is taken out, in words and as edits of the texts."""

    question: str
    told: str
    edits: tuple[Edit, ...]


def sub(pattern: str, replacement: str, where: str = CODE) -> Edit:
    """Replace in the text of every file whose path `where` finds."""
    return lambda texts, _: {
        path: re.sub(pattern, replacement, text) if re.search(where, path) else text
        for path, text in texts.items()
    }


def rename(pattern: str, replacement: str) -> Edit:
    """Call it otherwise, in paths and in texts, so that imports still hold."""

    def edit(texts: Texts, results: dict[str, Result]) -> Texts:
        changed = sub(pattern, replacement)(texts, results)
        return {re.sub(pattern, replacement, path): text for path, text in changed.items()}

    return edit


def drop(where: str) -> Edit:
    """Delete every file whose path this finds."""
    return lambda texts, _: {path: text for path, text in texts.items() if not re.search(where, path)}


def without_tests(question: str) -> Edit:
    """Switch off the tests that answer a question: they are no longer collected."""

    def edit(texts: Texts, results: dict[str, Result]) -> Texts:
        changed = dict(texts)
        for place in results[question].facts:
            lines = changed[place.path].split("\n")
            lines[place.line - 1] = lines[place.line - 1].replace("def test", "def checks", 1)
            changed[place.path] = "\n".join(lines)
        return changed

    return edit


def mutation(question: str, told: str, *edits: Edit) -> Mutation:
    return Mutation(question, told, edits)


MUTATIONS = (
    mutation("data-contract", "tables have no schema", sub(r"\bpandera\b", "plain")),
    mutation(
        "data-validation",
        "nothing is checked where data come in",
        sub(r"\b(_?)(check|validate|refuse|verify)_(?=\w)(?!commands)", r"\1look_at_", r"\.py$"),
        sub(r"\b(check|validate)\b(?=\()|(?<=import )check\b|(?<=, )check\b(?=[,\n])", "look", r"\.py$"),
        rename(r"validation", "review"),
    ),
    mutation("data-features-tested", "no test of features", without_tests("data-features-tested")),
    mutation(
        "data-features-shared",
        "no module prepares data for both training and scoring",
        rename(r"features?(?=[/._\s])", "shapes"),
        rename(r"conditioning(?=[/._\s])", "settling"),
        rename(r"\b(condition|encoding|design|encoder|preparation|processing)(?=\.py|[.\s])", "layout"),
    ),
    mutation("data-features-rules", "no test against leakage", without_tests("data-features-rules")),
    mutation(
        "data-features-value",
        "nobody asks which features matter",
        rename(r"(?i)drivers", "movers"),
        rename(r"own_features|ablation", "own_columns"),
        sub(r"permutation_importance|importances?", "weights"),
    ),
    mutation(
        "training-pipeline",
        "the steps are no longer one run",
        drop(r"^(dvc\.yaml|MLproject)$"),
        rename(
            r"(?<=level1_pipeline/)pipeline(?=\.py)|(?<=level1_pipeline\.)pipeline(?=[.\s])", "whole_order"
        ),
    ),
    mutation(
        "training-retrain",
        "retraining waits for a person",
        sub(r"(?m)^  (schedule|repository_dispatch):.*\n(    .*\n)*", "", r"workflows/retrain\.yml$"),
    ),
    mutation(
        "training-reproducible",
        "no seed is set",
        sub(r"seed", "start", r"\.py$"),
        sub(r"default_rng|SeedSequence|startSequence|RandomState", "generator", r"\.py$"),
    ),
    mutation(
        "training-tuning",
        "nothing is tuned",
        rename(r"tun(e|ing)(?=[_.\s(/\"d]|$)", "adjust"),
        rename("optuna", "studies"),
    ),
    mutation(
        "training-tracking",
        "runs are not tracked",
        sub(r"\b(mlflow|dvclive)\b(?!=)", "noted", r"\.py$"),
        sub(r"log_(metric|param|batch|inputs?|artifact)s?\b", "note", r"\.py$"),
    ),
    mutation(
        "training-config", "settings lie in the code", rename(r"\b(config|settings)\.toml", "numbers.toml")
    ),
    mutation("quality-baseline", "no baseline", rename(r"(?i)baseline", "plainline")),
    mutation(
        "quality-slices",
        "one figure for all",
        rename(r"(?i)segment|slice", "piece"),
        rename("by_region", "over_region"),
    ),
    mutation(
        "quality-gate",
        "nothing decides about a new model",
        rename(r"(?<![a-z])gate", "door"),
        rename(r"champion", "holder"),
        rename(r"challenger", "rival"),
        sub(r"passes", "goes", r"\.py$"),
    ),
    mutation("quality-model-tests", "no test of the models' code", without_tests("quality-model-tests")),
    mutation(
        "quality-staleness",
        "no backtest",
        rename(r"(?i)backtest", "lookback"),
        rename(r"(?i)replay", "rerun"),
    ),
    mutation(
        "code-checks",
        "no linter and no type checker",
        sub(r"(?m)^\t.*\b(ruff|mypy|pre-commit)\b.*\n", "", "Makefile$"),
    ),
    mutation("code-pipeline-test", "no test runs the whole", without_tests("code-pipeline-test")),
    mutation("code-lock", "versions float", drop(r"(^|/)constraints\.txt$|\.lock$")),
    mutation(
        "release-build",
        "no package is built",
        sub(r'"hatchling", "build"', '"hatchling", "version"', r"\.py$"),
        sub(r"\b(build|bud)\b", "info", r"^tests/container/.*\.(sh|py)$"),
    ),
    mutation(
        "release-deploy",
        "a person promotes",
        sub(r"\$\(LEVEL2\) release\b", "$(LEVEL2) status", "Makefile$"),
    ),
    mutation(
        "release-environments",
        "one environment only",
        drop(r"environments/prod"),
        sub(r"(?m)^\[prod", "[dev2", r"environments\.toml$"),
        sub(r"(?i)environment: prod", "environment: dev", r"\.ya?ml$"),
        sub(r"\bprod\.(json|toml|ya?ml|env)", r"dev.\1"),
    ),
    mutation("release-promotion", "models are not promoted", rename(r"(?i)promot(?=e|ion|ing)", "lift")),
    mutation("release-rollback", "no way back", rename(r"(?i)roll_?(ed_)?back", "undoing")),
    mutation("release-canary", "a new model serves at once", rename(r"(?i)shadow|canary", "double")),
    mutation(
        "lineage-registry",
        "no registry",
        rename(r"(?i)registry", "shelf"),
        sub(
            r"create_registered_model|search_model_versions|create_model_version|get_model_version\w*|register_\w+|"
            r"registered_model_alias|set_shelved\w*",
            "keep",
            r"\.py$",
        ),
    ),
    mutation(
        "lineage-data-version",
        "data have no version",
        drop(r"dvc\.lock$"),
        sub(r"data_hash|data_version|data_digest", "data_mark"),
        sub(r"(partition|content|table|raw|dataset)_hash", r"\1_mark"),
        sub(r"\blog_inputs?\b|mlflow\.data", "note", r"\.py$"),
    ),
    mutation(
        "lineage-trace",
        "nobody can ask where a forecast came from",
        sub(r"\b_?why\b", "say", r"\.py$"),
        rename("provenance|lineage", "past"),
    ),
    mutation(
        "ops-quality",
        "forecasts are not held against what came",
        rename(r"(?i)monitor", "gaze"),
        sub(r"(?i)degrad\w+|hindcast|matured|quality_table", "plain", r"\.py$"),
        rename("hindcast", "plain"),
    ),
    mutation(
        "ops-drift",
        "inputs are not watched",
        rename(r"(?i)drift", "sway"),
        sub(
            r"\b_?(categorical_)?psi\b|wasserstein_distance|ks_2samp|_?ks_statistic|population_stability",
            "far",
            r"\.py$",
        ),
    ),
    mutation(
        "ops-staleness",
        "the model's age is not watched",
        rename(r"(?i)stale(ness)?", "dated"),
        sub(r"model_age|age_days|age_seconds|release_age|freshness|too_old", "years"),
    ),
    mutation(
        "ops-numeric",
        "numbers that are not finite pass",
        sub(r"isfinite|isnan|isinf|nan_to_num|not_finite|check_finite|all_finite", "plain", r"\.py$"),
    ),
    mutation(
        "ops-performance",
        "speed is not measured",
        rename(r"prometheus_client", "counting"),
        rename(r"(?i)benchmark|bench(?=[._/])|load_?test|stress_?test", "compare"),
        sub(
            r"def test_(\w*)(latency|throughput|faster_than|memory_(use|leak|grow))",
            r"def test_\1some",
            r"\.py$",
        ),
        sub(r"(?m)\b(wrk|locust|oha)\b", "true", r"(\.py|\.sh|Makefile)$"),
    ),
    mutation(
        "ops-alerts", "nobody is told", rename(r"(?i)alert(s|ing)?", "hint"), rename(r"(?i)notify", "hint")
    ),
    mutation(
        "ops-explain",
        "a forecast cannot be taken apart",
        rename(r"(?i)expla(in|nation)", "tell"),
        sub(r"contributions?|decompose", "parts", r"\.py$"),
    ),
    mutation("security-updates", "no word of new versions", drop(r"dependabot\.yml$")),
    mutation("security-audit", "nothing is audited", sub(r"pip[_-]audit|zizmor|bandit|gitleaks", "listing")),
    mutation(
        "security-workflows", "actions move under the workflows", sub(r"@[0-9a-f]{40}", "@v4", r"\.ya?ml$")
    ),
    mutation(
        "security-integrity",
        "what is loaded is not verified",
        sub(r" != ", " == ", r"\.py$"),
        sub(r"actions/attest[\w-]*", "actions/note", r"\.ya?ml$"),
        sub(r"gh attestation|sha256sum|cosign", "true", r"(\.sh|Makefile|\.ya?ml)$"),
        sub(r"\b(_?)(verify|check)_(?=\w)(?!commands)", r"\1see_", r"\.py$"),
        sub(r"Integrity|Tamper", "Sameness", r"\.py$"),
        sub(r'"(gh|cosign|sha256sum)"', '"true"', r"\.py$"),
    ),
)
