/* reply.c */
#include "smtp/reply.h"
#include "base/banned.h" /* IWYU pragma: keep */
