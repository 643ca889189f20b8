/* hostlist.c */
#include "io/hostlist.h"
#include "base/banned.h" /* IWYU pragma: keep */
