/* clock.c */
#include "io/clock.h"
#include "base/banned.h" /* IWYU pragma: keep */
