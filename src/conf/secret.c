/* secret.c */
#include "conf/secret.h"
#include "base/banned.h" /* IWYU pragma: keep */
