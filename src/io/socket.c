/* socket.c */
#include "base/banned.h" /* IWYU pragma: keep */
