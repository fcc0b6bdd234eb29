#ifndef ONEPOINT_LINEAR_H
#define ONEPOINT_LINEAR_H

#include <stddef.h>
#include <stdint.h>

/// What of a text a linear classifier sees. Every feature is hashed into `1 << bits` rows.
struct onepoint_linear_shape {
    /// 8 to 22.
    uint32_t bits;
    /// The longest n-gram of characters inside a word, its two borders counted; 0 to 6, and 0 for none.
    uint32_t grams;
    /// Whether words are features; not 0 for yes.
    uint32_t words;
    /// Whether two words that follow each other are a feature.
    uint32_t pairs;
    /// The one `onepoint_letters` whose words count; 0 for all.
    uint32_t letters;
};

/// Letters by where they are used together.
enum onepoint_letters { ONEPOINT_LATIN = 1, ONEPOINT_EAST_ASIAN = 2, ONEPOINT_OTHER_LETTERS = 3 };

/// Adds to `bytes` how many bytes of a text are letters of each kind; `bytes[0]` is not touched.
void onepoint_linear_letters(const uint8_t *text, size_t count, size_t bytes[4]);

/// The room for features that one call needs at least: more than the longest word makes.
#define ONEPOINT_LINEAR_ROOM 512

/// Writes the features of whole words of `text` from `*position` on, until the text ends or the room gets too small for
/// another word, and moves `*position` there.
///
/// Words are runs of letters of one kind in lower case, each ideograph belonging to its run; at most 60 characters
/// count as one word. Digits, signs, marks of punctuation and malformed UTF-8 separate. `*previous` is the word before, 0 at first.
/// Returns how many features were written, which is 0 only at the end of a text or with room below the above.
size_t onepoint_linear_features(const struct onepoint_linear_shape *shape, const uint8_t *text, size_t count,
                                size_t *position, uint64_t *previous, uint32_t *features, size_t room);

/// Adds to `sums` the row of each feature of a text, both of `stride` columns: 1 to 8, or a multiple of 16.
///
/// At most 1 MiB of text, so that the sums do not overflow. Returns how many features there were.
size_t onepoint_linear_sum(const struct onepoint_linear_shape *shape, const int8_t *table, size_t stride,
                           const uint8_t *text, size_t count, int32_t *sums);

/// Lays out as rows of `stride` columns the `labels` columns of a file, `rows` bytes each. `table` is all 0 before.
void onepoint_linear_lay_out(const uint8_t *columns, size_t rows, size_t labels, size_t stride, int8_t *table);

/// Adds the rows of `features` of a model in training to `sums`.
void onepoint_linear_add_weights(const float *table, size_t stride, const uint32_t *features, size_t count,
                                 float *sums);

/// One step of AdaGrad: every row of `features` goes down `gradient`, each column at a rate that its own squares in
/// `squares` have slowed.
void onepoint_linear_step(float *table, float *squares, size_t stride, const uint32_t *features, size_t count,
                          const float *gradient, float rate);

/// Makes scores of biases and sums: `sharpness * bias + scale * sum` for each of `count` labels.
void onepoint_linear_scores(const float *bias, const int32_t *sums, size_t count, float sharpness, float scale,
                            float *scores);

/// Adds to `shares` what `weight` makes of probabilities.
void onepoint_linear_add_share(const float *probabilities, size_t count, float weight, float *shares);

/// Turns scores into probabilities that add up to one, in place, by the same arithmetic on every machine.
void onepoint_linear_softmax(float *scores, size_t count);

/// The file of the language model that ships with the product.
const uint8_t *onepoint_language_model(size_t *count);

#endif
