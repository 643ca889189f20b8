/* submission.c */
#include "msg/submission.h"
#include "base/banned.h" /* IWYU pragma: keep */
