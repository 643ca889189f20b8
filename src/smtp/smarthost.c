/* smarthost.c */
#include "smtp/smarthost.h"
#include "base/banned.h" /* IWYU pragma: keep */
