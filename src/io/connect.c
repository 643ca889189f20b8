/* connect.c */
#include "io/connect.h"
#include "base/banned.h" /* IWYU pragma: keep */
