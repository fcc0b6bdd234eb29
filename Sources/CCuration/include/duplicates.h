#ifndef ONEPOINT_DUPLICATES_H
#define ONEPOINT_DUPLICATES_H

#include <stddef.h>
#include <stdint.h>

// Words -------------------------------------------------------------------------------------------------------------

/// A word that may go on in the next piece of a text. All zero at the start of a text.
struct onepoint_word {
    uint64_t hash;    // of the groups of eight bytes that are full
    uint64_t group;   // the bytes since
    uint32_t filled;  // how many of them
    uint32_t open;    // whether a word is under way
    size_t start;     // where it began
};

/// Splits a text into words, and gives the hash of each: of its bytes in UTF-8 after simple case folding.
///
/// A word is a longest run of letters, numbers and underscores; each Han character and each kana is a word by itself.
/// Bytes that are not UTF-8 part words. Starts at `*position`, moves it, and stops when the bytes are used up or
/// `capacity` hashes are written. A character cut by the end of the bytes stays unread: `*position` is then less than
/// `count`. Never writes more than `capacity` (2 or more), and returns how many. If `starts` and `ends` are given,
/// the offsets too.
size_t onepoint_words(
    struct onepoint_word *word, const uint8_t *bytes, size_t count, size_t *position, uint64_t *hashes, size_t capacity,
    uint32_t *starts, uint32_t *ends);

/// A hash of the words of a line, and how many bytes its words have.
uint64_t onepoint_words_hash(const uint8_t *bytes, size_t count, uint64_t *word_bytes);

/// The place after the next line feed at or after `from`; `count` if there is none.
size_t onepoint_line_end(const uint8_t *bytes, size_t count, size_t from);

/// The hash of the word that the end of the text has ended; 0 if there is none (1 written into `*found` if there is).
uint64_t onepoint_words_end(struct onepoint_word *word, int *found);

/// Writes the hashes of `count - 4` runs of five words each; `count` is 5 or more.
void onepoint_shingles(const uint64_t *words, size_t count, uint64_t *shingles);

/// The one shingle of a text that has `count` words, 1 to 4.
uint64_t onepoint_short_shingle(const uint64_t *words, size_t count);

/// Writes a text after simple case folding, with each run of white space as one space and none at the ends. `*state`
/// is 0 at the start of a text; a piece starts at `*position` as above. Returns the bytes written, at most
/// `capacity`, which is 8 or more; a character is never cut between two calls.
size_t onepoint_fold(
    uint32_t *state, const uint8_t *bytes, size_t count, size_t *position, uint8_t *folded, size_t capacity);

// MinHash -----------------------------------------------------------------------------------------------------------

enum onepoint_isa { ONEPOINT_BASELINE, ONEPOINT_AVX2 };

/// Whether the processor has it.
int onepoint_isa_available(int isa);

/// Lowers each lane's minimum to the least of `shingle * multiplier + addend` over the shingles, modulo 2^32.
/// `lanes` is a multiple of 16. Same result on every ISA.
void onepoint_minhash(
    int isa, const uint64_t *shingles, size_t count, const uint32_t *multipliers, const uint32_t *addends,
    uint32_t *minima, size_t lanes);

// Sorting -----------------------------------------------------------------------------------------------------------

/// Sorts hashes and drops repeats; returns how many are left. `scratch` is as long as `hashes`. `counts` has 65,537
/// entries.
size_t onepoint_sort_unique(uint64_t *hashes, uint64_t *scratch, size_t count, uint32_t *counts);

/// How many values two ascending arrays without repeats have in common; SIZE_MAX as soon as it cannot reach `least`.
size_t onepoint_common(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count, size_t least);

/// Sorts records of `width` numbers, 2 or 3, the first being the most significant. `scratch` is as long as `records`.
void onepoint_sort_records(uint64_t *records, uint64_t *scratch, size_t count, size_t width);

// Passages ----------------------------------------------------------------------------------------------------------

/// The places, ascending, of windows of `length` bytes such that of `window` windows one after another at least one is
/// among them; about two in `window + 1` are. Which, depends on the bytes that these windows have and on nothing else.
///
/// `ring` has room for `window` numbers, `places` for `count - length + 1`; `count` is below 2^32. Returns how many.
size_t onepoint_winnow(
    const uint8_t *text, size_t count, size_t length, size_t window, uint64_t *ring, uint32_t *places);

#endif
