#!/bin/sh
exec "${top_srcdir:?}/tests/run-pytest" crash
