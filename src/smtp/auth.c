/* auth.c */
#include "smtp/auth.h"
#include "base/banned.h" /* IWYU pragma: keep */
