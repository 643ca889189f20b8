/* route.h - where each recipient lives: Debian's Exim routers (doc/EXIM 9, 10, 11).
 *
 * Routing decides; nothing here delivers.  What only the user's own rights can see
 * (.forward, .procmailrc) is asked through a probe, so this stays pure and testable. */
#ifndef ONEHOP_ROUTE_ROUTE_H
#define ONEHOP_ROUTE_ROUTE_H

#include "base/trace.h"
#include "conf/conf.h"
#include "conf/map.h"
#include "mail/mailbox.h"

/* Exim's names are in transport_name(): they appear in logs, -v and -bt. */
enum transport {
	TRANSPORT_NONE,
	TRANSPORT_SMARTHOST, /* remote_smtp_smarthost */
	TRANSPORT_REMOTE,    /* remote_smtp: hubbed_hosts */
	TRANSPORT_MAILDIR,   /* maildir_home */
	TRANSPORT_SPOOL,     /* mail_spool */
	TRANSPORT_LMTP,      /* lmtp: local_delivery = lmtp:/path, which is in hosts */
	TRANSPORT_FILE,      /* address_file: path of a .forward, or mail4root */
	TRANSPORT_DIRECTORY, /* address_directory */
	TRANSPORT_PIPE,      /* address_pipe */
	TRANSPORT_PROCMAIL,  /* procmail_pipe */
	TRANSPORT_MAILDROP,  /* maildrop_pipe */
	TRANSPORT_BYPASSED,  /* **bypassed**: /dev/null */
};

enum route_outcome {
	ROUTE_DELIVER, /* transport says how */
	ROUTE_PARENT,  /* became other addresses (its children) */
	ROUTE_DISCARD, /* :blackhole:, /dev/null */
	ROUTE_FAIL,    /* undeliverable: fail.text */
	ROUTE_DEFER,   /* cannot be resolved now: fail.text */
};

/* One address on its way through the routers.  Children point to their parent. */
struct route {
	/* Local part lower-cased when the domain is local; a pipe's or file's is its parent's. */
	struct mailbox address;
	const char *text;     /* address, or "|command", "/path", ":blackhole:" as Exim shows it */
	const char *original; /* the recipient as given (also in what it became): "FAX@debian" */
	bool unqualified;     /* had no domain as given */
	const struct route *parent;  /* the address this came from, or NULL */
	const struct route *same_as; /* route_merge(): the delivery that also serves this one */
	enum route_outcome outcome;
	const char *router; /* "local_user" ...; NULL when none took it */
	enum transport transport;
	const char *hosts; /* SMARTHOST, REMOTE: list in dc_smarthost syntax; LMTP: lmtp:/path */
	const char *user;  /* local transports: whose (login); "=> fax <FAX@debian>" shows it */
	const char *path;  /* FILE, DIRECTORY: path; PIPE: command */
	const struct fail *fail; /* FAIL, DEFER: why */
};

/* What the user-level routers find.  Asked with the user's rights (onehop-local). */
struct probe_item {
	enum transport transport; /* FILE, DIRECTORY, PIPE, BYPASSED; NONE: an address */
	const char *text;         /* as written in .forward, list syntax removed */
};

struct probe {
	enum { PROBE_NO_USER, PROBE_MAILBOX, PROBE_FORWARD, PROBE_PROCMAIL, PROBE_MAILDROP } found;
	struct probe_item *items; /* PROBE_FORWARD */
	size_t nitems;
	bool discard;        /* :blackhole: */
	const char *skipped; /* what is wrong with an item that was skipped, or NULL */
};

struct route_env {
	const struct conf *conf;
	struct arena *arena;
	struct map aliases, hubbed_hosts;
	const struct trace *trace; /* "R: system_aliases for fax@debian" */
	const char *viewer;        /* see route_is_private() */
	/* Look at what user has set up.  skip_forward: an address that came back to its own
	 * .forward. False: *f (TEMP: defer with the reason, e.g. bad mode of .forward). */
	bool (*probe)(
	    void *ctx, const char *user, bool skip_forward, struct probe *out, struct fail *f);
	/* Is there a passwd entry?  1 yes, 0 no, -1 cannot say now.  local_user_exists() is the
	 * real one. */
	int (*user_exists)(void *ctx, const char *user);
	void *ctx;
};

/* What one recipient may become, where recipients_max does not say how many addresses. */
enum { ROUTE_ADDRESSES_MAX = 100000, ROUTE_ANCESTORS_MAX = 100 };
/* recipients_max, or that. */
size_t route_addresses_max(const struct conf *c);

struct routes {
	struct route **list; /* every address that was looked at, parents before children */
	size_t n;
};

/* Was it made by the .forward of another user than viewer, who reads what is traced?  It is
 * that user's alone.  NULL: viewer may see all. */
bool route_is_private(const struct route *r, const char *viewer);
/* Read aliases and hubbed_hosts as conf says.  A missing file is an empty one. */
bool route_open(struct route_env *e, struct fail *f) NODISCARD;
/* Route one recipient and all it becomes; appends to out.  Never fails as a whole: each
 * address has its own outcome.  Duplicates (same final mailbox and original domain) are merged
 * by route_merge(), not here. */
void route_address(const struct route_env *e, struct mailbox address, bool unqualified,
    const char *original, struct routes *out);
/* Of deliveries that are the same (transport, user or address, path, original domain) keep the
 * first; the others get outcome ROUTE_PARENT and same_as, and are named in Envelope-to. */
void route_merge(struct routes *r, struct arena *a);
/* The name of delivery d in a spool's journal, one line: the address, behind a backslash when it
 * came from another (it is then no recipient that is done: "fax: fax, x@far.example"); for a pipe
 * or a file of a user it is followed by that.  A delivery that route_merge() joined to another has
 * the other's. */
const char *route_key(const struct route *d, struct arena *a);
/* The original recipients that end in delivery d, each once: what Envelope-to lists. */
const char *const *route_envelope_to(
    const struct routes *r, const struct route *d, struct arena *a, size_t *n);
/* The transport that a value of local_delivery names; TRANSPORT_NONE: none (which "none" says), or
 * it is not known. */
enum transport transport_of(const char *local_delivery);
/* The hosts in a value of hubbed_hosts: without Exim's options behind them. */
const char *route_hubs(struct arena *a, struct str value);
const char *transport_name(enum transport t);
bool transport_is_local(enum transport t);
#endif
