"""
The demo's server under load, on this machine: many clients with texts of mixed lengths and wrong requests
between, each answer checked against the text that was sent; before it, one request at a time.
"""

import argparse
import http.client
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from hmtl.serving.process import server_process

TIMEOUT = 120
# The share of requests that are wrong, and of those that hold several texts; and, of the others, of those
# that are a GET.
WRONG, SEVERAL, GET = 0.2, 0.1, 0.5
MOST_TEXTS = 8
SHORTEST, LONGEST = 1, 40
NAMES = "Ann Lee|Zoe|Oslo|Bergen|Lumen Records|Canada|Nils Holm|the Elbe|Hamburg|Clara Benn".split(
    "|"
)
VERBS = "met|left|founded|visited|bought|wrote to|moved to|lives in|was born in|works for".split(
    "|"
)
TAILS = "|in 1902| with her brother| after the war| because it rained| and he told them|, she said".split(
    "|"
)
KIB_PER_MIB = 1024
SHOWN_FAULTS = 10


def make_text(rng: random.Random, number: int) -> str:
    """A text of one to forty sentences, short ones more often; the number makes it unlike all others."""
    length = round(SHORTEST * (LONGEST / SHORTEST) ** rng.random())
    sentences = [
        f"{rng.choice(NAMES)} {rng.choice(VERBS)} {rng.choice(NAMES)}{rng.choice(TAILS)}."
        for _ in range(length)
    ]
    sentences[rng.randrange(length)] += f" That was number {number}."
    return " ".join(sentences)


@dataclass
class Report:
    """
    # Parameters

    statuses : `Counter`
        How often each status was answered.
    faults : `list[str]`
        What should not have happened.
    latencies : `list[float]`
        Seconds that requests with one good text took.
    num_texts : `int`
        Texts that were answered.
    seconds : `float`
        From the first request to the last answer.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    num_texts: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        ordered = sorted(self.latencies)
        p50, p90, p99 = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.9, 0.99))
        return (
            f"{self.num_texts / self.seconds:7.1f} texts/s; latency of one text: median {1000 * p50:.0f} ms, "
            f"90 % {1000 * p90:.0f} ms, 99 % {1000 * p99:.0f} ms, most {1000 * ordered[-1]:.0f} ms "
            f"({sum(self.statuses.values())} requests in {self.seconds:.1f} s)"
        )


class Client:
    """
    One of the clients, with a connection of its own that it keeps open.

    # Parameters

    address : `str`
        As `http://127.0.0.1:8000`.
    report : `Report`
        Of all clients.
    lock : `threading.Lock`
        Held to write to it.
    seed : `int`
    info : `dict[str, Any]`
        What the server says that it takes.
    """

    def __init__(
        self, address: str, report: Report, lock: threading.Lock, seed: int, info: dict[str, Any]
    ) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT)
        self.report = report
        self.lock = lock
        self.rng = random.Random(seed)
        self.info = info
        self.wrong: list[Callable[[], tuple[int, int]]] = [
            lambda: (422, self._send("POST", "/predict", b'{"texts": [')[0]),
            lambda: (422, self._send("POST", "/predict", b'{"texts": [17, null]}')[0]),
            lambda: (422, self._send("GET", "/jmd/")[0]),
            lambda: (422, self._post("x" * (info["max_text_length"] + 1))[0]),
            lambda: (413, self._send("POST", "/predict", b"x" * (info["max_body_bytes"] + 1))[0]),
            lambda: (404, self._send("GET", "/nothing")[0]),
            lambda: (405, self._send("DELETE", "/jmd/")[0]),
            self._leave_early,
        ]

    def run(self, numbers: Iterator[int], wrong: float = WRONG) -> None:
        """Sends requests until there are no more numbers for their texts."""
        for number in numbers:
            try:
                self._request(number, wrong)
            except Exception as error:
                self._fault(f"no answer to request {number}: {error!r}")
                self.connection.close()
        self.connection.close()

    def _request(self, number: int, wrong: float) -> None:
        chance = self.rng.random()
        if chance < wrong:
            self._send_wrong()
        elif chance < wrong + SEVERAL * (wrong > 0):
            count = self.rng.randint(2, MOST_TEXTS)
            self._check(
                [f"{index}. {make_text(self.rng, number)}" for index in range(count)], self._post
            )
        else:
            ask: Callable[..., tuple[int, Any]] = self._post
            if self.rng.random() < GET:
                ask = self._get
            begun = time.perf_counter()
            self._check([make_text(self.rng, number)], ask)
            took = time.perf_counter() - begun
            with self.lock:
                self.report.latencies.append(took)

    def _check(self, texts: list[str], ask: Callable[..., tuple[int, Any]]) -> None:
        status, predictions = ask(*texts)
        if status != 200:
            return self._fault(f"{status} for good texts: {predictions}")
        if [each["text"] for each in predictions] != texts:
            return self._fault(f"an answer to another text than {texts}")
        for each in predictions:
            for span in (*each["tokens"], *each.get("ner", []), *each.get("emd", [])):
                if each["text"][span["begin_char"] : span["end_char"]] != span["text"]:
                    return self._fault(f"{span} is not in {each['text']}")
        with self.lock:
            self.report.num_texts += len(texts)

    def _post(self, *texts: str) -> tuple[int, Any]:
        status, answer = self._send("POST", "/predict", json.dumps({"texts": texts}).encode())
        return status, answer.get("predictions", answer)

    def _get(self, text: str) -> tuple[int, Any]:
        status, answer = self._send("GET", "/jmd/?" + urlencode({"text": text}))
        return status, [answer]

    def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"} if body else {}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        with self.lock:
            self.report.statuses[response.status] += 1
        if response.status >= 500:
            self._fault(f"{response.status} for {method} {path[:80]}: {answer}")
        return response.status, answer

    def _send_wrong(self) -> None:
        expected, status = self.rng.choice(self.wrong)()
        if status != expected:
            self._fault(f"{status} for a wrong request, instead of {expected}")

    def _leave_early(self) -> tuple[int, int]:
        """Asks, and does not wait for the answer."""
        self.connection.request("GET", "/jmd/?" + urlencode({"text": make_text(self.rng, 0)}))
        self.connection.close()
        return 0, 0

    def _fault(self, what: str) -> None:
        with self.lock:
            self.report.faults.append(what)


def load(
    address: str, num_clients: int, num_requests: int, seed: int, wrong: float = WRONG
) -> Report:
    """
    # Parameters

    address : `str`
    num_clients, num_requests : `int`
        All clients together send so many requests.
    seed : `int`
    wrong : `float`, optional
        The share of wrong requests; without any, each is of one text.
    """
    report, lock = Report(), threading.Lock()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT)
    connection.request("GET", "/info")
    info = json.loads(connection.getresponse().read())
    connection.close()
    numbers = iter(range(num_requests))
    clients = [
        Client(address, report, lock, seed * num_clients + index, info)
        for index in range(num_clients)
    ]
    threads = [threading.Thread(target=client.run, args=(numbers, wrong)) for client in clients]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.seconds = time.perf_counter() - begun
    return report


def memory_mib(process: int) -> float:
    """What a process has in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    (kib,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(kib) / KIB_PER_MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--serialization_dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=6000, help="of all clients; default: 6000")
    parser.add_argument("--alone", type=int, default=500, help="one at a time; default: 500")
    parser.add_argument("--rounds", type=int, default=4, help="memory is read after each of them")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with server_process("-s", arguments.serialization_dir) as (address, process):
        alone = load(address, 1, arguments.alone, arguments.seed, wrong=0)
        print(f"one request at a time: {alone}")
        faults = alone.faults
        for index in range(arguments.rounds):
            seed = arguments.seed + 1 + index
            report = load(address, arguments.clients, arguments.requests // arguments.rounds, seed)
            faults += report.faults
            print(f"{arguments.clients} clients: {report}")
            statuses = ", ".join(f"{n} x {code}" for code, n in sorted(report.statuses.items()))
            print(f"    {statuses}; the server has {memory_mib(process.pid):.0f} MiB in memory")
    for fault in faults[:SHOWN_FAULTS]:
        print(f"fault: {fault}")
    print(f"{len(faults)} faults: answers lost, mixed up or 5xx")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
