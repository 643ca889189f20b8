/* fuzz_conf.c - any bytes as a configuration file of either kind and as Exim's macros: taken or
 * refused with one printable sentence; what was taken prints, and the print is taken again. */
#include <stdint.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "conf/debian.h"
#include "conf/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
prints(const struct conf *c)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf one = BUF_INIT(1 << 22), two = BUF_INIT(1 << 22);
	struct fail f = FAIL_INIT;
	struct conf again;

	must(conf_print(c, STR(""), &one, &f));
	conf_init(&again, &a);
	must(buf_ok(&one) && conf_parse(&again, buf_get(&one), "print", false, &f));
	must(conf_print(&again, STR(""), &two, &f));
	must(again.tls == c->tls && again.tls_verify == c->tls_verify);
	must(again.auth_client_allow_notls_passwords == c->auth_client_allow_notls_passwords);
	must(str_eq(str_of(again.smarthost), str_of(c->smarthost)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_at((const char *)data, size);

	for (int kind = 0; kind < 3; kind++) {
		AUTO_ARENA struct arena a = { 0 };
		struct fail f = FAIL_INIT;
		struct conf c;
		bool ok;

		conf_init(&c, &a);
		c.file = "fuzz";
		ok = kind == 2 ? debian_macros(&c, text, "fuzz", true, &f) &&
			debian_macros(&c, text, "template", false, &f) :
				 conf_parse(&c, text, "fuzz", kind == 1, &f);
		if (!ok) {
			must(f.cls == FAIL_USER && f.text[0] != '\0');
			continue;
		}
		prints(&c);
		must(conf_apply_sender(&c, "a@b.example", &f));
		(void)domain_is_local(&c, STR("b.example"));
		(void)mailname_parse(&a, text);
	}
	return 0;
}
