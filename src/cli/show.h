#ifndef ONEHOP_CLI_SHOW_H
#define ONEHOP_CLI_SHOW_H
#endif
