#include "html.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

size_t onepoint_find_byte(const uint8_t *bytes, size_t from, size_t count, uint8_t byte) {
    if (from >= count) return count;
    const uint8_t *hit = memchr(bytes + from, byte, count - from);
    return hit ? (size_t)(hit - bytes) : count;
}

size_t onepoint_find_either(const uint8_t *bytes, size_t from, size_t count, uint8_t a, uint8_t b) {
    size_t i = from;
#ifdef __SSE2__
    const __m128i first = _mm_set1_epi8((char)a), second = _mm_set1_epi8((char)b);
    for (; i < count && count - i >= 16; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(bytes + i));
        int hits = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, first), _mm_cmpeq_epi8(block, second)));
        if (hits) return i + (size_t)__builtin_ctz((unsigned)hits);
    }
#endif
    for (; i < count; i++)
        if (bytes[i] == a || bytes[i] == b) return i;
    return count;
}
