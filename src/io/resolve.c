/* resolve.c */
#include "io/resolve.h"
#include "base/banned.h" /* IWYU pragma: keep */
