"""Reading a whole generation back finds everything that is wrong with it."""

from kpi_pipeline.cache.keys import CATALOGUE, members_key, payload_key, variant_key
from kpi_pipeline.cache.publishing.integrity import read_back
from kpi_pipeline.model.filters import EVERYTHING, Filter

MANY = [Filter.of({"client": f"c{number}"}) for number in range(600)]


def test_every_answer_of_a_sound_generation_is_read(each_newsroom, each_client) -> None:
    entry = each_newsroom.publish(EVERYTHING, *MANY)
    told = list(read_back(each_client, entry))
    assert [read for read, _ in told] == [250, 500, 602]
    assert not any(problems for _, problems in told)


def test_each_answer_that_is_gone_or_spoilt_is_named(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING, *MANY)
    gone = payload_key(entry.generation, variant_key("kpis", MANY[3]))
    spoilt = payload_key(entry.generation, CATALOGUE)
    client.delete(gone)
    client.set(spoilt, b"x", keepttl=True)
    problems = [problem for _, found in read_back(client, entry) for problem in found]
    assert len(problems) == 2
    assert {problem.split(" ")[0].rstrip(":") for problem in problems} == {gone, spoilt}


def test_answers_that_the_generation_does_not_name_any_more_are_missed(newsroom, client) -> None:
    entry = newsroom.publish(EVERYTHING, *MANY)
    client.srem(members_key(entry.generation), payload_key(entry.generation, variant_key("kpis", MANY[3])))
    *_, (_, problems) = read_back(client, entry)
    assert "names 601 answers instead of 602" in problems[0]
    client.delete(members_key(entry.generation))
    ((read, problems),) = read_back(client, entry)
    assert (read, len(problems)) == (0, 1)
