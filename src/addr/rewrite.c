/* rewrite.c */
#include "addr/rewrite.h"
#include "base/banned.h" /* IWYU pragma: keep */
