/* note.h - small files in the spool's db/ that may be lost: what is known between runs.
 *
 * Replaced as a whole (a reader sees the old or the new one), not synced. */
#ifndef ONEHOP_SPOOL_NOTE_H
#define ONEHOP_SPOOL_NOTE_H

#include "spool/spool.h"

enum { NOTE_MAX = 256 * 1024, NOTE_NAME_MAX = 200 };

/* The name of a file: kind ("host.") and what it is about, percent-escaped; a long one is cut, and
 * its hash tells it apart. */
const char *note_name(const char *kind, const char *about, char out[NOTE_NAME_MAX + 32]);
/* The file's text into b (emptied first).  False: there is none, or it is not a file to read. */
bool note_read(const struct spool *s, const char *name, struct buf *b) NODISCARD;
/* Replace it by what b holds, if that can be done. */
void note_write(const struct spool *s, const char *name, const struct buf *b);
#endif
