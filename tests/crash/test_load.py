"""Many at once: twenty submitters and eight queue runners, and a server that drops every tenth connection somewhere.

Plain `make check` sends some hundred messages; ONEHOP_LOAD=N sends about N, ONEHOP_LOAD=all a thousand.
"""
import collections
import itertools
import os
import random
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import post  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
MESSAGES = int(os.environ.get("ONEHOP_LOAD", "200").replace("all", "1000"))
SUBMITTERS, RUNNERS, EVERY, SEED = 20, 8, 10, 3
STEPS = ("greeting", "mail", "rcpt", "dot", "the reply to the dot")
WAYS = ([],) * 7 + (["-odq"], ["-odb"], ["-odb"])


class Dropping(post.Handler):
    """Every tenth connection breaks off, at a random step of its first, second or third message."""

    def setup(self):
        super().setup()
        number = next(self.server.post.numbers)
        dice = random.Random("%d/%d" % (SEED, number))
        self.step = dice.choice(STEPS) if number % EVERY == 0 else None
        self.left, self.lost = dice.choice((0,) * 8 + (1, 2)), False

    def drop(self):
        self.server.post.dropped[self.step] += 1
        raise EOFError

    def answer(self, step, line):
        if step == self.step and (step == "greeting" or self.left == 0):
            self.drop()
        if step == "dot":
            self.lost = self.step == STEPS[-1] and self.left == 0
            self.server.post.unheard.update(self.rcpts if self.lost else ())
            self.left -= 1
        return super().answer(step, line)

    def say(self, *lines):
        if self.lost:
            self.drop()
        super().say(*lines)


class Crowd(post.Post):
    handler = Dropping

    def __init__(self, directory):
        self.numbers, self.dropped, self.unheard = itertools.count(1), collections.Counter(), set()
        self.todo, self.wrong, self.over = itertools.count(), [], threading.Event()
        super().__init__(directory)

    def call(self, *words):
        got = self.sendmail(*words, stdin="Subject: %s\n\nbody\n" % words[-1])
        if got.returncode != 0:
            self.wrong.append((words, got.returncode, got.stderr))

    def submit(self):
        for n in iter(self.todo.__next__, None):
            if n >= MESSAGES:
                return
            self.call(*WAYS[n % len(WAYS)], *addresses(n))

    def run(self, flag):
        while not self.over.is_set():
            self.call(flag)
            self.pause.wait(0.1)


def addresses(n):
    return ["m%d-%d@far.example" % (n, i) for i in range(1 + n % 3)]


@pytest.fixture
def crowd(tmp_path):
    c = Crowd(tmp_path)
    yield c
    c.down()


def test_each_recipient_has_it_once(crowd, request):
    runners = [threading.Thread(target=crowd.run, args=(("-q", "-qf")[n % 2],)) for n in range(RUNNERS)]
    submitters = [threading.Thread(target=crowd.submit) for _ in range(SUBMITTERS)]
    for thread in runners + submitters:
        thread.start()
    for thread in submitters:
        thread.join()
    try:
        crowd.until(lambda: crowd.input() == [])
    finally:
        crowd.over.set()
        for thread in runners:
            thread.join()
    copies = collections.Counter(rcpt for _, rcpts, _ in crowd.mails for rcpt in rcpts)
    twice = {rcpt for rcpt in copies if copies[rcpt] > 1}
    words = "%d messages, seed %d, %d connections, dropped: %s; twice: %d recipients of %d whose reply was lost" % (
        MESSAGES, SEED, next(crowd.numbers) - 1, dict(crowd.dropped), len(twice), len(crowd.unheard))
    tap = request.config.pluginmanager.get_plugin("tap")
    print(words)
    if tap:
        tap.say("# " + words)
    assert crowd.wrong == []
    assert set(copies) == {rcpt for n in range(MESSAGES) for rcpt in addresses(n)}
    assert twice <= crowd.unheard
    assert sum(crowd.dropped.values()) >= MESSAGES // EVERY // 2
    assert sum(line.endswith(" Completed\n") for line in open(crowd.log, encoding="utf-8")) == MESSAGES
