/* submit.c */
#include "spool/submit.h"
#include "base/banned.h" /* IWYU pragma: keep */
