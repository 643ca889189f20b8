/* mainlog.c */
#include "log/mainlog.h"
#include "base/banned.h" /* IWYU pragma: keep */
