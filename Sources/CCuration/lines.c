#include "curation.h"

#include <string.h>

size_t onepoint_line_end(const uint8_t *bytes, size_t count, size_t from) {
    const uint8_t *found = from < count ? memchr(bytes + from, '\n', count - from) : 0;
    return found ? (size_t)(found - bytes) + 1 : count;
}

uint64_t onepoint_words_hash(const uint8_t *bytes, size_t count, uint64_t *word_bytes) {
    enum { BLOCK = 256 };
    uint64_t words[1 + BLOCK];  // The hash of the words before stands in front.
    uint32_t starts[BLOCK], ends[BLOCK];
    struct onepoint_word word = {0};
    size_t position = 0;
    words[0] = *word_bytes = 0;
    for (int ended = 0; !ended;) {
        size_t before = position;
        size_t found = onepoint_words(&word, bytes, count, &position, words + 1, BLOCK - 1, starts, ends);
        if (position == count || position == before) {
            uint64_t last = onepoint_words_end(&word, &ended);
            if (ended) {
                words[1 + found] = last;
                starts[found] = (uint32_t)word.start;
                ends[found++] = (uint32_t)count;
            }
            ended = 1;
        }
        for (size_t i = 0; i < found; i++) *word_bytes += (uint32_t)(ends[i] - starts[i]);
        words[0] = onepoint_xxh3_64(words, (1 + found) * sizeof *words, 0);
    }
    return words[0];
}
