/* login.h - what the process that talks to the network tells of a login (spool/logins.h keeps it).
 */
#ifndef ONEHOP_WIRE_LOGIN_H
#define ONEHOP_WIRE_LOGIN_H

enum {
	LOGIN_REFUSALS_MAX = 3, /* in all processes and connections together, until it rests */
	LOGIN_NAMES_MAX = 256, /* octets of the mechanisms that are left out, with blanks between */
};

enum login_news {
	LOGIN_BEGINS,
	LOGIN_NO,      /* refused, upon a proof of the password */
	LOGIN_HUNG_UP, /* the server ended the connection over this mechanism */
	LOGIN_YES,
	LOGIN_OVER,
};
#endif
