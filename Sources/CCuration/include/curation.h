#ifndef ONEPOINT_CURATION_H
#define ONEPOINT_CURATION_H

#include <stddef.h>
#include <stdint.h>

#include "charset.h"
#include "html.h"
#include "normalization.h"
#include "linear.h"
#include "grams.h"
#include "scan.h"
#include "quality_bytes.h"
#include "quality_tables.h"
#include "personal.h"
#include "archive.h"

/// XXH3 of 64 bits, by Debian's libxxhash (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
uint64_t onepoint_xxh3_64(const void *bytes, size_t count, uint64_t seed);

struct onepoint_hash128 {
    uint64_t low, high;
};

/// XXH3 of 128 bits.
struct onepoint_hash128 onepoint_xxh3_128(const void *bytes, size_t count);

#include "duplicates.h"

#endif
