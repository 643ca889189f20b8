#!/bin/sh
# The shell scripts pass shellcheck.
command -v shellcheck >/dev/null || { echo "1..0 # SKIP shellcheck is not installed"; exit 0; }
cd "${top_srcdir:?}" || exit 99
scripts=$(grep -rlE --exclude-dir=__pycache__ '^#! ?/bin/(ba|da)?sh|^#!/usr/bin/env bash' \
	bootstrap .ci tests dist 2>/dev/null | sort)
echo "1..$(echo "$scripts" | wc -l)"
n=0
for script in $scripts; do
	n=$((n + 1))
	if faults=$(shellcheck -f gcc "$script"); then
		echo "ok $n - $script"
	else
		echo "not ok $n - $script"
		echo "$faults" | sed 's/^/# /'
	fi
done
