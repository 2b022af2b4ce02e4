import pytest

from demand.config import Config, ForecastConfig, NetworkConfig, PipelineConfig, TrainingConfig, load_config
from demand.errors import UsageError


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "run.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_without_file_and_overrides_the_defaults_hold():
    assert load_config(None, {}) == Config()
    assert load_config(None, {}).forecast == ForecastConfig(
        horizon=4, objective="mape", interval=0.9, seed=2017
    )


def test_a_file_changes_what_it_names_and_nothing_else(written):
    path = written('[forecast]\nhorizon = 8\nobjective = "balanced"\n[network]\nhidden = [64]\n')
    assert load_config(path, {}) == Config(
        forecast=ForecastConfig(horizon=8, objective="balanced"), network=NetworkConfig(hidden=(64,))
    )


def test_an_override_wins_over_the_file(written):
    path = written("[forecast]\nhorizon = 8\nseed = 1\n")
    config = load_config(path, {"forecast.horizon": "2", "pipeline.workers": "3"})
    assert config == Config(forecast=ForecastConfig(horizon=2, seed=1), pipeline=PipelineConfig(workers=3))


def test_overrides_are_written_as_in_toml_and_words_need_no_quotes():
    config = load_config(None, {"forecast.objective": "balanced", "network.hidden": "[32, 16]"})
    assert config == Config(
        forecast=ForecastConfig(objective="balanced"), network=NetworkConfig(hidden=(32, 16))
    )
    assert load_config(None, {"forecast.objective": '"balanced"'}).forecast.objective == "balanced"


def test_a_whole_number_passes_for_a_float_and_becomes_one(written):
    half_life = load_config(written("[training]\nhalf_life = 26\n"), {}).training.half_life
    assert (half_life, type(half_life)) == (26.0, float)
    assert load_config(None, {"training.half_life": "26"}).training == TrainingConfig(half_life=26.0)


def test_the_ends_of_a_range_are_allowed():
    assert load_config(None, {"forecast.horizon": "1"}).forecast.horizon == 1
    assert load_config(None, {"forecast.horizon": "26"}).forecast.horizon == 26


def test_a_config_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign"):
        load_config(None, {}).forecast.horizon = 5  # type: ignore[misc]


REFUSED_FILES = {
    "unknown section": (
        "[forcast]\n",
        r"run\.toml: 'forcast' is not known in the sections; allowed: forecast, training, lasso,",
    ),
    "unknown key": (
        "[forecast]\nhorizn = 4\n",
        r"run\.toml: 'horizn' is not known in \[forecast\]; allowed: horizon, objective, interval, seed\.",
    ),
    "section that is a value": (
        "forecast = 4\n",
        r"run\.toml: \[forecast\] must be a table of settings, got 4",
    ),
    "text for a number": (
        '[forecast]\nhorizon = "4"\n',
        r"run\.toml: forecast\.horizon must be .* int, got '4'",
    ),
    "fraction for a whole number": (
        "[forecast]\nhorizon = 4.0\n",
        r"forecast\.horizon must be .* int, got 4\.0",
    ),
    "boolean for a whole number": ("[forecast]\nseed = true\n", r"forecast\.seed must be .* int, got True"),
    "boolean for a float": ("[training]\nhalf_life = true\n", r"half_life must be .* float, got True"),
    "no such choice": (
        '[forecast]\nobjective = "mpe"\n',
        r"objective must be one of 'mape', 'balanced', got 'mpe'",
    ),
    "number for a list": ("[network]\nhidden = 64\n", r"network\.hidden must be a list of int, got 64"),
    "text in a list": (
        '[network]\nhidden = ["64"]\n',
        r"network\.hidden must be a list of int, got \['64'\]",
    ),
    "zero in a list": ("[network]\nhidden = [64, 0]\n", r"network\.hidden must lie between 1 and 4096"),
    "too small": ("[forecast]\nhorizon = 0\n", r"forecast\.horizon must lie between 1 and 26, got 0"),
    "too large": (
        "[forecast]\ninterval = 1.5\n",
        r"forecast\.interval must lie between 0\.5 and 0\.99, got 1\.5",
    ),
    "not a number": ("[training]\nhalf_life = nan\n", r"training\.half_life must lie between"),
    "broken TOML": ("[forecast\n", r"run\.toml: expected readable TOML, got: "),
}


@pytest.mark.parametrize(("text", "message"), REFUSED_FILES.values(), ids=REFUSED_FILES.keys())
def test_a_file_that_does_not_fit_is_refused_by_name(written, text, message):
    with pytest.raises(UsageError, match=message):
        load_config(written(text), {})


def test_a_file_that_is_not_there_or_not_text_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match=r"absent\.toml: expected readable TOML"):
        load_config(tmp_path / "absent.toml", {})
    (tmp_path / "utf16.toml").write_bytes("[forecast]".encode("utf-16"))
    with pytest.raises(UsageError, match=r"utf16\.toml: expected readable TOML"):
        load_config(tmp_path / "utf16.toml", {})


REFUSED_OVERRIDES = {
    "unknown section": (
        "forcast.horizon",
        "4",
        r"--set: 'forcast' is not known in the sections; allowed: forecast,",
    ),
    "unknown key": (
        "forecast.horizn",
        "4",
        r"--set: 'horizn' is not known in \[forecast\]; allowed: horizon,",
    ),
    "no key": ("forecast", "4", r"--set: '' is not known in \[forecast\]"),
    "wrong type": ("forecast.horizon", "four", r"--set: forecast\.horizon must be .* int, got 'four'"),
    "two values": ("forecast.horizon", "4\nb = 2", r"--set forecast\.horizon: expected one value"),
}


@pytest.mark.parametrize(
    ("name", "text", "message"), REFUSED_OVERRIDES.values(), ids=REFUSED_OVERRIDES.keys()
)
def test_an_override_that_does_not_fit_is_refused_by_name(name, text, message):
    with pytest.raises(UsageError, match=message):
        load_config(None, {name: text})
