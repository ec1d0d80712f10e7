"""200 open streams on one worker: all are answered, none is crossed with another, none starves."""
import threading
import time

import pytest

from conftest import serve

STREAMS = 200
TOKENS = 8


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("many")) as server:
        yield server


def test_200_streams(running):
    client = running.client()
    texts, first, ends, finishes = [""] * STREAMS, [0.0] * STREAMS, [0.0] * STREAMS, [None] * STREAMS
    seeds = [n % 20 for n in range(STREAMS)]  # ten of each kind must come out alike

    def run(index):
        answer = client.completions.create(model="", prompt=f"Once upon a time, animal {seeds[index]} was a", stream=True,
                                           max_tokens=TOKENS, temperature=0)
        for chunk in answer:
            if chunk.choices and chunk.choices[0].text:
                first[index] = first[index] or time.monotonic()
                texts[index] += chunk.choices[0].text
            if chunk.choices and chunk.choices[0].finish_reason:
                finishes[index] = chunk.choices[0].finish_reason
        ends[index] = time.monotonic()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(STREAMS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(finish in ("stop", "length") for finish in finishes), finishes
    assert all(texts)
    kinds = {}
    for seed, text in zip(seeds, texts):
        kinds.setdefault(seed, []).append(text)
    for seed, answers in kinds.items():
        common = max(set(answers), key=answers.count)
        assert answers.count(common) >= 8, (seed, answers)  # a near tie may fall either way in another batch
    assert len({max(set(a), key=a.count) for a in kinds.values()}) > 5  # they differ from kind to kind
    # a line is served in order: nobody's first token comes after nearly everybody has ended
    assert max(f - start for f in first) < 1.05 * (max(ends) - start)
    # one that has begun is not held up by those that came later: 8 at a time, so its share is small
    longest = max(e - f for e, f in zip(ends, first))
    assert longest < 0.5 * (max(ends) - start), (longest, max(ends) - start)

