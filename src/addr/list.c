/* list.c */
#include "addr/list.h"
#include "base/banned.h" /* IWYU pragma: keep */
