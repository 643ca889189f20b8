/* lsearch.c */
#include "conf/lsearch.h"
#include "base/banned.h" /* IWYU pragma: keep */
