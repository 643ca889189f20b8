/* mailbox.c */
#include "addr/mailbox.h"
#include "base/banned.h" /* IWYU pragma: keep */
