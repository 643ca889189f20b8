/* message.c */
#include "msg/message.h"
#include "base/banned.h" /* IWYU pragma: keep */
