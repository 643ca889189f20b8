/* banned.h - functions that may not be used here.  Include it last in each .c.
 *
 * (Redefinition, as git does, and not "#pragma GCC poison": some of these are
 * macros in glibc headers, and poisoning a macro is a warning of its own.) */
#ifndef ONEHOP_BASE_BANNED_H
#define ONEHOP_BASE_BANNED_H

#define BANNED(name) name##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)
#undef alloca
#define alloca(...) BANNED(alloca)
#undef mktemp
#define mktemp(...) BANNED(mktemp)
#undef isspace
#define isspace(...) BANNED(isspace) /* locale: use base/str.h */
#undef tolower
#define tolower(...) BANNED(tolower) /* locale: use base/str.h */
#undef strerror
#define strerror(...) BANNED(strerror) /* use fail_set() or fail_words() */
#endif
