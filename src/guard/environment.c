/* environment.c */
#include "guard/environment.h"
#include "base/banned.h" /* IWYU pragma: keep */
