import json

import pytest

from demand.errors import UsageError
from level2_cicd.environments import FILE, claim, config, environment
from level2_cicd.ledger import open_ledger

NAMES = ("DATABASE_URL", "TRACKING_URI")
SECRET = "hunter2"
TABLE = 'size = "tiny"\ntracking = true\nregistry = true\nmodel = "m"\n'


@pytest.fixture(autouse=True)
def no_servers(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("LOCAL", "DEV", "PROD"):
        for what in NAMES:
            monkeypatch.delenv(f"LEVEL2_{name}_{what}", raising=False)


@pytest.fixture
def written(tmp_path):
    """Writes a file of environments."""

    def write(text):
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


def test_the_three_environments_share_nothing(tmp_path):
    found = {name: environment(name, tmp_path) for name in ("local", "dev", "prod")}
    assert [each.size for each in found.values()] == ["tiny", "tiny", "demo"]
    assert [each.registry for each in found.values()] == [False, True, True]
    assert (found["local"].tracking, found["local"].place) == (None, None)
    for what in ("store", "database", "model"):
        assert len({str(getattr(each, what)) for each in found.values()}) == 3
    assert found["dev"].tracking == f"sqlite:///{tmp_path / 'dev' / 'mlflow.db'}" != found["prod"].tracking
    gate = found["prod"].gate
    assert (gate.max_mape, gate.min_segments_share, gate.min_gain) == (45.0, 0.9, 40.0)


def test_the_settings_of_an_environment_are_those_of_level_1(tmp_path):
    found = environment("local", tmp_path)
    assert found.settings["network.min_steps"] == "120"
    assert (config(found).network.min_steps, config(found).gate.level) == (120, 0.5)
    assert config(environment("prod", tmp_path)).network.epochs == 8


def test_servers_take_the_place_of_files_where_their_addresses_are_set(tmp_path, monkeypatch):
    monkeypatch.setenv("LEVEL2_PROD_DATABASE_URL", f"postgresql://ann:{SECRET}@db:5432/prod")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.com")
    found = environment("prod", tmp_path)
    assert found.database == f"postgresql+psycopg://ann:{SECRET}@db:5432/prod"
    assert found.place.address == "https://mlflow.example.com"
    assert environment("local", tmp_path).tracking is None
    monkeypatch.setenv("LEVEL2_PROD_TRACKING_URI", "https://other.example.com")
    assert environment("prod", tmp_path).tracking == "https://other.example.com"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {
                "LEVEL2_DEV_DATABASE_URL": f"postgresql://ann:{SECRET}@localhost/all",
                "LEVEL2_PROD_DATABASE_URL": f"postgres://bob:{SECRET}@127.0.0.1:5432/all",
            },
            "database of the environment prod: expected one of its own; got that of dev",
        ),
        ({"LEVEL2_PROD_DATABASE_URL": "sqlite:///{root}/dev/ledger.db"}, "database of the environment prod"),
        (
            {"LEVEL2_DEV_TRACKING_URI": "https://m", "MLFLOW_TRACKING_URI": "https://m:443/"},
            "tracking of the environment prod: expected one of its own; got that of dev",
        ),
        (
            {"MLFLOW_TRACKING_URI": "sqlite:///{root}/dev/../dev/mlflow.db"},
            "tracking of the environment prod",
        ),
    ],
)
def test_an_address_of_two_environments_is_refused(variables, words, tmp_path, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(root=tmp_path))
    with pytest.raises(UsageError) as caught:
        environment("prod", tmp_path)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("address", [f"mysql://ann:{SECRET}@db/x", f"{SECRET}", "sqlite://", "oracle://x"])
def test_an_address_of_another_kind_is_refused_and_not_shown(address, tmp_path, monkeypatch):
    monkeypatch.setenv("LEVEL2_DEV_DATABASE_URL", address)
    with pytest.raises(UsageError, match=r"LEVEL2_DEV_DATABASE_URL: expected sqlite:///PATH or") as caught:
        environment("dev", tmp_path)
    assert f":{SECRET}" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"[dev]\n{TABLE}colour = 1\n",
            "'colour' is not known in [dev]; allowed: size, tracking, registry, ",
        ),
        (f"[dev]\n{TABLE}gate.max_map = 1\n", "'max_map' is not known in [dev.gate]; allowed: max_mape"),
        (f"[dev]\n{TABLE}gate.max_mape = true\n", "dev.gate.max_mape must be of type float, got True"),
        (f'[dev]\n{TABLE}serving.token_required = "no"\n', "dev.serving.token_required must be of type bool"),
        (f"[dev]\n{TABLE}gate = 3\n", "[dev.gate] must be a table of settings, got 3"),
        ("dev = 3\n", "[dev] must be a table of settings, got 3"),
        ('[dev]\nsize = "tiny"\n', "[dev] must say 'tracking'; it has size."),
        (f"[dev]\n{TABLE}".replace("tiny", "huge"), "dev.size must be one of tiny, demo, full, got 'huge'"),
        (
            f"[dev]\n{TABLE}".replace("tracking = true", "tracking = false"),
            "dev.registry must be false where",
        ),
        (f"[dev]\n{TABLE}settings.network.epohs = 1\n", "[dev.settings]: 'epohs' is not known in [network]"),
        (f"[dev]\n{TABLE}settings.network = 1\n", "[dev.settings]: '' is not known in [network]"),
        (f"[dev]\n{TABLE}settings.network.epochs = 0\n", "[dev.settings]: network.epochs must lie between"),
        ("[dev\n", "expected readable TOML"),
        (f"[prod]\n{TABLE}", "environment: expected one of prod; got 'dev'"),
    ],
)
def test_a_file_that_says_anything_else_is_refused_by_file_key_and_what_is_allowed(
    text, words, written, tmp_path
):
    path = written(text)
    with pytest.raises(UsageError) as caught:
        environment("dev", tmp_path, path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value) or "expected one of prod" in words


def test_every_number_of_the_file_has_its_meaning_beside_it():
    lines = FILE.read_text().splitlines()
    first = lines[lines.index(next(line for line in lines if line.startswith("[local]"))) :]
    local = first[: first.index("")]
    assert len(local) > 10 and all("#" in line for line in local)


def test_the_store_of_one_environment_is_not_opened_as_another(releases, cli, tmp_path):
    made = releases("prod")
    assert claim(made.environment) == made.environment.store
    assert json.loads((made.environment.store / "environment.json").read_text()) == {"environment": "prod"}
    made.environment.store.rename(made.environment.store.parent / "dev")
    outcome = cli("status", "--env", "dev", *made.options[2:])
    assert outcome.code == 64
    assert "dev: expected what belongs to the environment dev; it belongs to prod." in outcome.err


def test_a_marker_that_is_none_is_refused(tmp_path):
    found = environment("dev", tmp_path)
    claim(found)
    (found.store / "environment.json").write_text("[]")
    with pytest.raises(UsageError, match=r'expected \{"environment": "dev"\}; got TypeError'):
        claim(found)


def test_the_ledger_of_one_environment_is_not_opened_as_another(releases, cli):
    prod, dev = releases("prod", promoted=1), releases("dev")
    for name in ("ledger.db", "ledger.seal.json"):
        (dev.environment.store / name).write_bytes((prod.environment.store / name).read_bytes())
    outcome = cli("promote", dev.versions[0], *dev.options, "--approver", "Ada", "--reason", "x")
    assert outcome.code == 64
    assert "expected what belongs to the environment dev; it belongs to prod" in outcome.err
    assert not (dev.environment.store / "current.json").exists()


def test_an_unknown_environment_is_wrong_usage(cli, tmp_path):
    outcome = cli("status", "--env", "staging", "--root", tmp_path)
    assert outcome.code == 64
    assert "expected one of local, dev, prod; got 'staging'" in outcome.err


def test_looking_at_an_environment_enters_nothing(tmp_path):
    found = environment("dev", tmp_path)
    assert open_ledger(found).rows() == []
    assert not (found.store / "ledger.db").exists()
