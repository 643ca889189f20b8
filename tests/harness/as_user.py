#!/usr/bin/env python3
"""as_user.py UID GID COMMAND... - root runs COMMAND in / with that user's rights and no others."""

import os
import sys

os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
os.chdir("/")
os.execvp(sys.argv[3], sys.argv[3:])
