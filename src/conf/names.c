/* names.c */
#include "conf/names.h"
#include "base/banned.h" /* IWYU pragma: keep */
