/* intake.c */
#include "msg/intake.h"
#include "base/banned.h" /* IWYU pragma: keep */
