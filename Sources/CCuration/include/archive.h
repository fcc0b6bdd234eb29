#ifndef ONEPOINT_ARCHIVE_H
#define ONEPOINT_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

/// SHA-1 (FIPS 180-4, section 6.1) of what web archives name their contents by. Not for security.
void onepoint_sha1(const void *bytes, size_t count, uint8_t digest[20]);

#endif
