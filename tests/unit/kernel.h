/* kernel.h - an older kernel, or a container that lets less through. */
#ifndef ONEHOP_TESTS_KERNEL_H
#define ONEHOP_TESTS_KERNEL_H

/* From here on the system call nr does not exist (ENOSYS) for this process and its children. */
void kernel_lacks(long nr);
#endif
