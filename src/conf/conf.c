/* conf.c */
#include "conf/conf.h"
#include "base/banned.h" /* IWYU pragma: keep */
