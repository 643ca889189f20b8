/* tls.c */
#include "tls/tls.h"
#include "base/banned.h" /* IWYU pragma: keep */
