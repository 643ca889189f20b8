/* route.c */
#include "route/route.h"
#include "base/banned.h" /* IWYU pragma: keep */
