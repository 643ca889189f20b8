"""I11: damaged and foreign spool files are never sent, never deleted, never hang.  The damages are in damage.py."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import damage, outside  # noqa: E402

pytestmark = outside.needs_namespaces


def test_damaged_and_foreign_files():
    outside.fail_if(outside.play(damage, limit=300)["wrong"])
