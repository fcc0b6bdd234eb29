#ifndef ONEPOINT_GRAMS_H
#define ONEPOINT_GRAMS_H

#include <stddef.h>
#include <stdint.h>

/// Tokens that a window may have, tokens that are remembered, and windows that wait for the filter: the remembered are at
/// least those of a window and those that came while windows waited.
enum { ONEPOINT_GRAM_TOKENS_MAX = 100, ONEPOINT_GRAM_RING = 256, ONEPOINT_GRAM_BATCH = 128 };

/// A window of tokens: its hash, its place in the view, its last token's number, its length, and which of the two sizes it has.
struct onepoint_gram {
    uint64_t hash;
    size_t start, end;
    uint64_t last_token;
    uint32_t tokens, kind;
};

/// How far a view has come. `onepoint_grams_begin` makes one.
struct onepoint_grams_state {
    size_t next;
    uint64_t tokens, prefix;
    uint64_t prefixes[ONEPOINT_GRAM_RING];
    size_t starts[ONEPOINT_GRAM_RING], ends[ONEPOINT_GRAM_RING];
    uint16_t units[ONEPOINT_GRAM_RING];
    uint64_t powers[ONEPOINT_GRAM_RING];
    uint64_t first[2];
    uint32_t sum[2], target[2], word_units, character_units;
};

/// Which windows there are, for each kind: `words[kind]` has `mask[kind] + 1` (a power of two) words of 64 bits. A kind
/// whose `words` is null has none.
struct onepoint_grams_filter {
    const uint64_t *words[2];
    uint64_t mask[2];
};

/// A word of an alphabet weighs `characters` and a character that is a word of its own weighs `words`, so that a window of kind
/// 0, the fewest tokens that weigh `words * characters`, has that many of either. Windows of kind 1 weigh `short_target`.
void onepoint_grams_begin(struct onepoint_grams_state *state, uint32_t words, uint32_t characters, uint32_t short_target);

/// Takes the state back to the beginning of a view.
void onepoint_grams_restart(struct onepoint_grams_state *state);

/// Writes the windows of the normalised text `view` that `filter` may have (all, when it is null). Those of one
/// kind are in order of their ends. `capacity` is at least ONEPOINT_GRAM_BATCH.
///
/// Returns how many; `state->next` is `count` at the end of the view. Linear; any bytes are taken.
size_t onepoint_grams_scan(
    struct onepoint_grams_state *state, const uint8_t *view, size_t count, const struct onepoint_grams_filter *filter,
    struct onepoint_gram *grams, size_t capacity);

/// Adds a hash to a filter of `filter_mask + 1` (a power of two) words of 64 bits.
void onepoint_grams_filter_add(uint64_t *filter, uint64_t filter_mask, uint64_t hash);

#endif
