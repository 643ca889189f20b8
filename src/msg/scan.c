/* scan.c */
#include "msg/scan.h"
#include "base/banned.h" /* IWYU pragma: keep */
