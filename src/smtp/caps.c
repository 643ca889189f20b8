/* caps.c */
#include "smtp/caps.h"
#include "base/banned.h" /* IWYU pragma: keep */
