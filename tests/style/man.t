#!/bin/sh
# mandoc finds no fault in the manual pages.
command -v mandoc >/dev/null || { echo "1..0 # SKIP mandoc is not installed"; exit 0; }
set -- "${top_srcdir:?}"/man/*.[58] "${top_builddir:?}/man/onehop.8" "$top_builddir/man/onehop.conf.5"
echo "1..$#"
n=0
for page; do
	n=$((n + 1))
	if faults=$(mandoc -T lint -W warning "$page"); then
		echo "ok $n - ${page##*/}"
	else
		echo "not ok $n - ${page##*/}"
		echo "$faults" | sed 's/^/# /'
	fi
done
