/* session.c */
#include "smtp/session.h"
#include "base/banned.h" /* IWYU pragma: keep */
