/* conf.h - what the administrator said: all options, each with the place it came from.
 *
 * Every file is one language with one parser: "name = value", quotes, # comments,
 * continuation by a backslash, [sender PATTERN] sections (onehop.conf(5)).  Debian's
 * update-exim4.conf.conf and exim4.conf.localmacros are read, never executed. */
#ifndef ONEHOP_CONF_CONF_H
#define ONEHOP_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"

/* Constants of the WORD options, in the order of their words in options.def. */
enum conf_type { TYPE_SMARTHOST, TYPE_SATELLITE, TYPE_LOCAL };
enum conf_tls { TLS_AUTO, TLS_STARTTLS, TLS_IMPLICIT, TLS_OFF };
enum conf_choice { CHOICE_AUTO, CHOICE_YES, CHOICE_NO };
enum conf_delivery { DELIVERY_FOREGROUND, DELIVERY_BACKGROUND, DELIVERY_QUEUE };
enum conf_family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6 };

enum conf_option {
#define OPT(name, dc, macro, type, def, min, max, words, who, help) CONF_##name,
#include "conf/options.def"
#undef OPT
	CONF_COUNT
};

/* Where a value came from: line 0 is no file's line; file NULL is the default. */
struct conf_origin {
	const char *file;
	unsigned line;
};

/* One line of a file. */
struct assignment {
	struct str name, value;
	struct conf_origin where;
};

#define CONF_T_STR const char *
#define CONF_T_BOOL bool
#define CONF_T_UINT uint64_t
#define CONF_T_SECS uint64_t
#define CONF_T_SIZE uint64_t
#define CONF_T_WORD unsigned

struct conf {
#define OPT(name, dc, macro, type, def, min, max, words, who, help) CONF_T_##type name;
#include "conf/options.def"
#undef OPT
	struct conf_origin origin[CONF_COUNT];
	const char *file; /* the file in use (first found), or NULL: defaults only */
	const char *home; /* the home of the user whose own setup this is, or NULL */
	const char *etc;  /* as conf_paths had it; "/etc" after conf_init() */
	/* The file was named by a caller who need not be the one whose file it is (-C, not root,
	 * not root's file): it names no program to run and no file to write. */
	bool borrowed;
	const char *credentials; /* as conf_paths had it, or NULL */
	/* For -bV and doctor, NULL-terminated: unknown keys of Debian's file, macros without an
	 * option here. */
	const char **warnings;
	struct conf_section *sections; /* private */
	struct conf_macros *macros;    /* private */
	struct arena *arena;
};

/* Where to look.  All strings are the caller's and must outlive the conf. */
struct conf_paths {
	const char *file; /* -C FILE, or NULL */
	const char
	    *user_file;       /* $XDG_CONFIG_HOME/onehop/onehop.conf of an ordinary user, or NULL */
	const char *own_file; /* $sysconfdir/onehop/onehop.conf; NULL: below etc */
	/* Where exim4/, mailname, aliases, hosts are; NULL: "/etc", whatever the prefix. */
	const char *etc;
	/* What a user's own setup (file or user_file is in use and home is not NULL) goes by: the
	 * home, NULL for root and the system's own programs, and $XDG_STATE_HOME/onehop for spool
	 * and log. */
	const char *home, *state;
	/* $CREDENTIALS_DIRECTORY, or NULL: passwd.client is looked for there. */
	const char *credentials;
};

/* Find the file in use, parse it (with Debian's: its macros too, conf/debian.h), then fill in
 * names (conf/names.h): primary_hostname, qualify_domain; spool_directory and log_file of a
 * user's own setup.  No file at all is no error: what cannot do without reports it.
 * False: *f is USER/CONFIG (exit 78) with file:line, or TEMP when a file cannot be read. */
bool conf_load(
    struct conf *c, struct arena *a, const struct conf_paths *paths, struct fail *f) NODISCARD;
/* Parse text as if it stood in file; debian: the rules of update-exim4.conf.conf (unknown keys
 * warn, values are lower-cased as update-exim4.conf does, capital lines are macros). Pure;
 * what the fuzzer calls.  conf_init() must have run. */
void conf_init(struct conf *c, struct arena *a);
bool conf_parse(
    struct conf *c, struct str text, const char *file, bool debian, struct fail *f) NODISCARD;
/* Set one option from its text, as a line of a file would ("-O name=value").  The name may be an
 * alias; a macro of type BOOL is on by any value but no, false and 0, as in Debian.  An empty
 * value is the default.  The text of a failure does not say where the line stands. */
bool conf_set(struct conf *c, const struct assignment *one, struct fail *f) NODISCARD;
/* Are there [sender PATTERN] sections?  Then nothing is known before the sender is. */
bool conf_depends_on_sender(const struct conf *c);
/* The same, in a, for senders to whom the same sections apply; "" when none does. */
const char *conf_sender_key(const struct conf *c, struct arena *a, const char *sender);
/* How many sections there are; and the configuration with the n-th of them alone.  False: as
 * conf_set() would. */
size_t conf_sections(const struct conf *c);
bool conf_with_section(const struct conf *c, size_t n, struct conf *out, struct fail *f) NODISCARD;
/* Apply the [sender PATTERN] sections that match the envelope sender (address or "*@domain",
 * case folded, first to last). */
bool conf_apply_sender(struct conf *c, const char *sender, struct fail *f) NODISCARD;
/* Is the user root, or among trusted_users? */
bool conf_trusts(const struct conf *c, unsigned uid, const char *login);
/* "-bP": append "name = value\t# file:line" for one option, or for all when name is empty.
 * False: no such option; *f names the nearest. */
bool conf_print(const struct conf *c, struct str name, struct buf *out, struct fail *f) NODISCARD;
/* "file:line", "file", or "default". */
const char *conf_where(const struct conf *c, enum conf_option o);
/* Open a file of the administrator's, for the caller to close: *fd is -1 when there is none, or it
 * is /dev/null.  False: as conf_read(). */
bool conf_open(const char *path, int *fd, struct stat *st, struct fail *f) NODISCARD;
/* The text of a file, in a.  True with text->p == NULL: there is no such file, or it is /dev/null.
 * False: *f is TEMP (no right to read it: says who must have it) or USER/CONFIG. */
bool conf_read(struct arena *a, const char *path, struct str *text, struct fail *f) NODISCARD;
/* Where a table of the administrator's may be, NULL-terminated and in a: the path that an option
 * gives, alone; if that is "", first (may be NULL), then name beside the file in use, then Exim's.
 */
const char *const *conf_places(
    const struct conf *c, struct arena *a, const char *option, const char *first, const char *name);
#endif
