"""systemctl stop, restart, poweroff and a plug that is pulled, at each moment of a delivery: nothing is lost, and only a plug that is
pulled before a reply is read may double."""
import threading
import time

import doors
import pytest

STEPS = ["greeting", "mail", "rcpt", "data", "dot"]
REPLIES = {"greeting": "220 smtp.isp.example", "ehlo": "250 smtp.isp.example", "mail": "250 ok", "rcpt": "250 ok", "data": "354 go",
           "dot": "250 2.0.0 taken", "quit": "221 bye"}
# The n-th of a step in a run of three messages, and how many of them are taken when it is stopped there: fewest, most.
MOMENTS = [("greeting", 1, 0, 1), ("ehlo", 1, 0, 1), *[(step, nth, nth - 1, nth) for step in STEPS[1:4] for nth in (1, 2)],
           ("dot", 1, 1, 1), ("dot", 2, 2, 2), ("dot", 3, 3, 3), ("quit", 1, 3, 3)]


class Gate:
    """The smarthost does not answer the n-th of these steps before it is told to."""

    def __init__(self, smarthost, step, nth=1):
        self.reached, self.opened, self.left, self.step = threading.Event(), threading.Event(), nth, step
        smarthost.profile = {step: self.answer}

    def answer(self, _):
        self.left -= 1
        if self.left == 0:
            self.reached.set()
            assert self.opened.wait(100)
        return REPLIES[self.step]

    def when_reached(self, act, seconds=1.0):
        """Act while the answer is due, and answer some time later."""
        assert self.reached.wait(60)
        threading.Timer(seconds, self.opened.set).start()
        act()
        self.opened.set()


def queue(box, count):
    for n in range(count):
        box.must("onehop", "-odq", "you@example.org", stdin="Subject: m%d\n\nx\n" % n)


def all_once(box, smarthost, names):
    """What waits goes at the next run, and then everybody has everything, once."""
    smarthost.profile = {}
    box.must("systemctl", "reset-failed")
    box.must("systemctl", "start", "onehop-flush.service")
    assert smarthost.subjects() == sorted(names), box.mainlog()
    assert box.waiting() == []


@pytest.mark.parametrize("step,nth,fewest,most", MOMENTS)
@pytest.mark.parametrize("unit", ["onehop-queue.service", "onehop-flush.service"])
def test_a_queue_run_is_stopped(box, smarthost, unit, step, nth, fewest, most):
    """No message is begun after it, and the reply that is due is waited for."""
    queue(box, 3)
    gate = Gate(smarthost, step, nth)
    box.must("systemctl", "--no-block", "start", unit)
    gate.when_reached(lambda: box.must("systemctl", "stop", unit))
    assert box.run("pgrep", "-f", "onehop-send").rc == 1, "it is not over"
    taken = len(smarthost.mails)
    assert taken + len(box.waiting()) == 3 and fewest <= taken <= most
    all_once(box, smarthost, ["m0", "m1", "m2"])


@pytest.mark.parametrize("step", [*STEPS, "ehlo", "quit"])
def test_a_users_message_is_stopped(box, smarthost, step):
    """Exit 0 is once, anything else is never."""
    gate = Gate(smarthost, step)
    said = []
    sender = threading.Thread(target=lambda: said.append(box.run("onehop", "you@example.org", user="alice", stdin="Subject: hers\n\nx\n")))
    sender.start()
    gate.when_reached(lambda: box.must("systemctl", "stop", "onehop-submit@*.service"))
    sender.join()
    (got,) = said
    assert got.rc in (0, 75) and (step not in ("dot", "quit") or got.rc == 0), got
    assert "may have been" not in got.err
    all_once(box, smarthost, ["hers"] if got.rc == 0 else [])


def test_a_delivery_to_a_program_is_stopped(box):
    """It has the whole message, once: who is killed in the middle leaves it half of one, and the rest comes again."""
    box.write("/home/alice/slow", "#!/bin/sh\nhead -c 1000 >>$HOME/got\nsleep 3\ncat >>$HOME/got\n", 0o755, "alice:")
    box.write("/home/alice/.forward", '"|/home/alice/slow"\n', 0o644, "alice:")
    text = "Subject: s\n\n" + "a line of text\n" * 100000 + "the end\n"
    said = []
    sender = threading.Thread(target=lambda: said.append(box.run("onehop", "alice", user="bob", stdin=text)))
    sender.start()
    box.until(lambda: box.read("/home/alice/got") != "")
    box.must("systemctl", "stop", "onehop-local@*.service")
    sender.join()
    assert said[0].rc == 0, said
    box.must("onehop", "-qf")
    assert box.read("/home/alice/got").count("the end\n") == box.read("/home/alice/got").count("Subject: s\n") == 1


def test_the_sockets_are_restarted_while_mail_comes(box, smarthost):
    said = []
    senders = [threading.Thread(target=lambda n=n: said.append(box.run("onehop", "you@example.org", user="alice", stdin="Subject: m%d\n\nx\n" % n)))
               for n in range(20)]
    for sender in senders:
        sender.start()
        if sender in senders[5::5]:
            box.must("systemctl", "restart", "onehop-submit.socket", "onehop-local.socket")
    for sender in senders:
        sender.join()
    assert [got for got in said if got.rc != 0] == []
    all_once(box, smarthost, ["m%d" % n for n in range(20)])


@pytest.mark.parametrize("step,nth", [("greeting", 1), ("mail", 1), ("data", 2), ("dot", 1), ("dot", 2), ("quit", 1)])
def test_poweroff_with_the_smarthost_outside(box, smarthost, step, nth):
    queue(box, 3)
    gate = Gate(smarthost, step, nth)
    box.must("systemctl", "--no-block", "start", "onehop-queue.service")
    gate.when_reached(box.poweroff, 2)
    assert len(smarthost.mails) <= (nth if step != "quit" else 3)
    box.boot()
    all_once(box, smarthost, ["m0", "m1", "m2"])


@pytest.mark.parametrize("step", ["mail", "dot"])
def test_poweroff_while_users_send(box, smarthost, step):
    """Who was told 0 has it there once; who was not is not there, but for the one who was killed before he read what he was told."""
    gate = Gate(smarthost, step)
    box.write("/root/send", """#!/bin/sh
for i in $(seq 30); do
	printf 'Subject: m%d\\n\\nx\\n' $i | onehop you@example.org && echo m$i >>$HOME/told && sync $HOME/told
done
""", 0o755)
    box.must("sh", "-c", "cp /root/send /home/alice/send; chown alice: /home/alice/send")
    box.must("systemd-run", "-q", "--uid=alice", "--setenv=HOME=/home/alice", "sh", "/home/alice/send")
    gate.when_reached(box.poweroff, 2)
    box.boot()
    smarthost.profile = {}
    box.must("systemctl", "start", "onehop-flush.service")
    told, there = box.read("/home/alice/told").split(), smarthost.subjects()
    assert len(set(there)) == len(there) and set(told) <= set(there) and len(there) - len(told) <= 1, (told, there)


@pytest.mark.parametrize("step,nth", [("mail", 1), ("data", 2), ("dot", 1)])
def test_the_plug_is_pulled(box, smarthost, step, nth):
    """Nothing is lost; what was taken and not heard of comes again."""
    queue(box, 3)
    gate = Gate(smarthost, step, nth)
    box.must("systemctl", "--no-block", "start", "onehop-queue.service")
    gate.when_reached(box.pull_the_plug, 5)
    time.sleep(0.5)         # what the dead machine held is let go
    box.boot()
    smarthost.profile = {}
    box.must("systemctl", "start", "onehop-flush.service")
    there = smarthost.subjects()
    assert set(there) == {"m0", "m1", "m2"} and len(there) <= (4 if step == "dot" else 3) and box.waiting() == []


def test_mail_of_a_service_that_ends_with_the_machine(box, smarthost):
    """A service's last word, sent when the machine goes down: root's is sent or kept."""
    box.write("/etc/systemd/system/onehop-test-last.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n"
              "ExecStop=sh -c 'printf \"Subject: last\\n\\nx\\n\" | onehop you@example.org'\n")
    box.must("systemctl", "daemon-reload")
    box.must("systemctl", "start", "onehop-test-last.service")
    box.poweroff()
    box.boot()
    box.remove("/etc/systemd/system/onehop-test-last.service")
    box.must("systemctl", "daemon-reload")
    all_once(box, smarthost, ["last"])
    assert doors.user(box, "alice").rc == 0
