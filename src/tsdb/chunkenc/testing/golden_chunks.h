// Test data: the chunks that the real Prometheus wrote, each with its samples in text form (golden/README.md).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/samples.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::tsdb {

struct GoldenChunk {
  std::string name;  // block, series and number, for messages
  Encoding encoding;
  std::string bytes;
  std::vector<std::string> samples;  // lines as in the README: "f T HEX DEC [st=ST]", "h ..", "F .."
  ChunkView view() const { return {encoding, bytes}; }
};

// Empty when the shared test data is not there: skip the test then.
const std::vector<GoldenChunk>& GoldenChunks();

// The folder; empty when the shared test data is not there.
std::string GoldenFolder();
// The lines of a gzipped file below the golden folder; empty when it is not there.
std::vector<std::string> GoldenLines(const std::string& path);
// What the tabs of a line separate.
std::vector<std::string> GoldenColumns(std::string_view line);

// Sample i in the README's text form but for the decimals behind the hexadecimal floats ("f T HEX", "cv=HEX,HEX").
std::string SampleText(const Samples& samples, size_t i);
// A golden line without its decimals, to compare with SampleText().
std::string WithoutDecimals(const std::string& line);
// The sample that a golden line describes, appended to `out`.
void AppendSampleText(const std::string& line, Samples* out);

}  // namespace gauntlet::tsdb
