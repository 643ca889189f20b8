/* stream.c */
#include "io/stream.h"
#include "base/banned.h" /* IWYU pragma: keep */
