/* local.c */
#include "local/local.h"
#include "base/banned.h" /* IWYU pragma: keep */
