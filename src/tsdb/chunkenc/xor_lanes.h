// XOR chunks side by side: a sample of each of up to twelve chunks at a time.
//
// One chunk by itself spends most of its time waiting: for the place where its next sample begins, and for branches
// that follow no pattern. Several at once, without branches, fill those waits with one another: four do, and twelve are
// the chunks of six hours.
// On x86-64 with AVX2; elsewhere chunks are decoded one by one.
//
// Threads: any.

#pragma once

#include <span>

#include "model/samples.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::tsdb {

// How many of the first of `chunks` are worth decoding side by side; 0 when the first one is better decoded alone.
size_t ChunksAbreast(std::span<const ChunkView> chunks);

// Appends all samples of `chunks`, which ChunksAbreast() counted, to times and values of `out`. False, with nothing
// appended, when one of them is malformed or may go back in time: then they have to be decoded one by one.
bool DecodeXorAbreast(std::span<const ChunkView> chunks, Samples* out);

}  // namespace gauntlet::tsdb
