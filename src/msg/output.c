/* output.c */
#include "msg/output.h"
#include "base/banned.h" /* IWYU pragma: keep */
