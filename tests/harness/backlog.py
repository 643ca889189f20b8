"""A long queue at once: the message that waits in a spool (onehop's or Exim's) is copied under other ids."""
import glob
import hashlib
import os
import re
import shutil

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUM = re.compile(r"-onehop_sha256 [0-9a-f]{64}\n")


def base62(number, width):
    return "" if width == 0 else base62(number // 62, width - 1) + DIGITS[number % 62]


def sha256(text):
    return hashlib.sha256(text.encode("latin-1")).hexdigest()


def new_file(path, text, like):
    with open(path, "w", encoding="latin-1") as f:
        f.write(text)
    os.chown(path, like.st_uid, like.st_gid)
    os.chmod(path, like.st_mode & 0o777)


def grow(spool, n):
    """Let n messages wait where one does.  The copies are as old, and their ids come before its own."""
    (header,) = glob.glob(spool + "/input/*-H")
    old, like = os.path.basename(header)[:-2], os.stat(header)
    texts = {}
    for kind in "HD":
        with open(header[:-1] + kind, encoding="latin-1") as f:
            texts[kind] = f.read()
    for i in range(n - 1):
        new = base62(62 ** 5 + i, 6) + old[6:]
        body = texts["D"].replace(old, new)
        text = re.sub(r"(-onehop_body \d+ ).*", lambda m, body=body: m.group(1) + sha256(body), texts["H"].replace(old, new))
        text = SUM.sub("-onehop_sha256 " + sha256(SUM.sub("", text)) + "\n", text)
        new_file("%s/input/%s-D" % (spool, new), body, like)
        new_file("%s/input/%s-H" % (spool, new), text, like)
        if os.path.exists("%s/msglog/%s" % (spool, old)):
            shutil.copy2("%s/msglog/%s" % (spool, old), "%s/msglog/%s" % (spool, new))
