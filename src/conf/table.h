/* table.h - the rows of options.def as data, and lines that are kept.  Private to conf/. */
#ifndef ONEHOP_CONF_TABLE_H
#define ONEHOP_CONF_TABLE_H

#include "conf/conf.h"

enum conf_kind { KIND_STR, KIND_BOOL, KIND_UINT, KIND_SECS, KIND_SIZE, KIND_WORD };
enum { CONF_NAMES = 3 };
/* Who may set it (options.def). */
enum {
	WHO_ANY = 0,
	WHO_GUARD = 1,
	WHO_OWNER = 2,
	WHO_GUARD_OWNER = WHO_GUARD | WHO_OWNER,
	WHO_SITE = 4,
};

struct conf_row {
	const char *names[CONF_NAMES];     /* ours; Debian's key; Debian's macro; "" is none */
	unsigned char lengths[CONF_NAMES]; /* of the names: each start of the program asks often */
	const char *def, *words;
	enum conf_kind kind;
	unsigned who;
	uint64_t min, max;
	size_t offset; /* in struct conf */
};

extern const struct conf_row conf_rows[CONF_COUNT];

/* The name, of letters, digits and "_", at the front of s; may be empty. */
struct str conf_name(struct str s);
/* The option of this name or alias (capitals count), or CONF_COUNT. */
enum conf_option conf_find(struct str name);
/* The name or alias that is spelt most like name; *edits: how many letters apart. */
const char *conf_nearest(struct str name, enum conf_option *o, size_t *edits);
/* The failure "there is no option NAME; the nearest is ..."; always false. */
bool conf_unknown(struct str name, struct fail *f);
/* Does the option decide who may read or send what?  Such a key is never guessed at. */
bool conf_is_security(enum conf_option o);
/* Add "file:line: " and one sentence to c->warnings; past 100 they are dropped. */
void conf_warn(struct conf *c, const struct conf_origin *where, const char *fmt, ...) PRINTF(3, 4);
struct assignments {
	struct assignment *list;
	size_t n;
};

enum { ASSIGNMENTS_MAX = 1024 }; /* far more than there are */
/* Keep a copy of one; false: there are too many, it is dropped. */
bool assignments_add(struct arena *a, struct assignments *to, const struct assignment *one);
/* The last of this name, or NULL. */
const struct assignment *assignments_find(const struct assignments *in, struct str name);
#endif
