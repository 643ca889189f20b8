/* transcript.c */
#include "log/transcript.h"
#include "base/banned.h" /* IWYU pragma: keep */
