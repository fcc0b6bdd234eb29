#include "curation.h"

// Winnowing (Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document fingerprinting", 2003): of every
// `window` windows one after another the one with the least hash is selected, so that a stretch which stands elsewhere
// too selects the same there, wherever it begins. Of equal ones the last, and the same for as long as it can be.

#define BASE UINT64_C(0xD6E8FEB86659FD93)

static inline uint64_t finish(uint64_t hash) {
    hash = (hash ^ hash >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    hash = (hash ^ hash >> 29) * UINT64_C(0xC4CEB9FE1A85EC53);
    return hash ^ hash >> 32;
}

size_t onepoint_winnow(
    const uint8_t *text, size_t count, size_t length, size_t window, uint64_t *ring, uint32_t *places) {
    if (length == 0 || window == 0 || count < length || count - length + 1 < window) return 0;
    uint64_t power = 1, sum = 0;
    for (size_t i = 0; i < length; i++) {
        power *= BASE;
        // No byte counts as nothing, or runs of zeros of any length would be one.
        sum = sum * BASE + text[i] + 1;
    }
    size_t windows = count - length + 1, found = 0, least = 0, slot = 0;
    uint64_t least_hash = UINT64_MAX;
    int is_selected = 1;
    for (size_t place = 0; place < windows; place++) {
        uint64_t hash = finish(sum);
        ring[slot] = hash;
        if (place >= window && least == place - window) {
            // It is out of reach: the least of those that are in it.
            least_hash = UINT64_MAX;
            for (size_t i = 0; i < window; i++) {
                // From the oldest, which is in the next slot, to this one.
                size_t at = slot + 1 + i < window ? slot + 1 + i : slot + 1 + i - window;
                if (ring[at] <= least_hash) {
                    least_hash = ring[at];
                    least = place - window + 1 + i;
                }
            }
            is_selected = 0;
        } else if (hash < least_hash) {
            least_hash = hash;
            least = place;
            is_selected = 0;
        }
        if (!is_selected && place + 1 >= window) {
            places[found++] = (uint32_t)least;
            is_selected = 1;
        }
        if (++slot == window) slot = 0;
        if (place + 1 < windows) sum = sum * BASE + (text[place + length] + 1) - (text[place] + 1) * power;
    }
    return found;
}
