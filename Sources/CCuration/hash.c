#include "curation.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t onepoint_xxh3_64(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}

struct onepoint_hash128 onepoint_xxh3_128(const void *bytes, size_t count) {
    XXH128_hash_t hash = XXH3_128bits(bytes, count);
    return (struct onepoint_hash128){hash.low64, hash.high64};
}
