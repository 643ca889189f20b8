/* alias.c */
#include "route/alias.h"
#include "base/banned.h" /* IWYU pragma: keep */
