/* domain.c */
#include "addr/domain.h"
#include "base/banned.h" /* IWYU pragma: keep */
