/* SPDX-License-Identifier: MIT */
/*
 * Samples are sorted while they are taken, outside of what is measured.
 */

#include "sample.h"
#include "print.h"

static uint32_t samples[SAMPLES];

uint32_t sample_median(sample_fn *sample, unsigned int count)
{
    unsigned int i, j;

    for (i = 0; i < SAMPLE_WARM_UPS; i++) {
        sample();
    }
    for (i = 0; i < count; i++) {
        uint32_t x = sample();

        for (j = i; j && samples[j - 1] > x; j--) {
            samples[j] = samples[j - 1];
        }
        samples[j] = x;
    }
    return samples[count / 2];
}

void sample_report(const char *name, sample_fn *sample, unsigned int count,
                   uint32_t empty)
{
    uint32_t median = sample_median(sample, count);

    printf("BENCH %s %u insn\n", name, median - empty);
    printf("INFO %s min %u p90 %u max %u\n", name, samples[0] - empty,
           samples[count * 9 / 10] - empty, samples[count - 1] - empty);
}
