from functools import cache

import mutations
import pytest
from small_repositories import results_of, texts_of

from maturity import judging, scanner
from maturity.facts import Facts
from maturity.python_code import read_code


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Each text is parsed, and each name matched, once for all; every fact is kept, not only those shown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "read_code", cache(read_code))
        patch.setattr(judging, "SHOWN", 10_000)
        patch.setattr(Facts, "matching", remembered({}))
        yield


def remembered(seen):
    """Facts.matching with the outcome of every pattern and name kept in `seen`."""

    def matching(self, kind, pattern):
        names, known = self.by_kind.get(kind, {}), seen.setdefault((kind, pattern), {})
        found = []
        for name, facts in names.items():
            if (hit := known.get(name)) is None:
                hit = known[name] = bool(pattern.search(name))
            if hit:
                found.extend(facts)
        return found

    return matching


@pytest.fixture(scope="module")
def texts(root):
    return texts_of(root)


@pytest.fixture(scope="module")
def before(texts, quick):
    return results_of(texts)


def test_there_are_35_mutations_of_35_questions():
    assert len({each.question for each in mutations.MUTATIONS}) == len(mutations.MUTATIONS) >= 35


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda each: each.question)
def test_a_feature_that_is_taken_out_lowers_its_question_alone(mutation, texts, before):
    changed = texts
    for edit in mutation.edits:
        changed = edit(changed, before)
    after = results_of(changed)
    lowered = {name for name, result in before.items() if (after[name].grade or 0) < (result.grade or 0)}
    assert lowered == {mutation.question}, mutation.told
