/* transaction.c */
#include "base/banned.h" /* IWYU pragma: keep */
