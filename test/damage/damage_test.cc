// Every kind of golden file, damaged: damage.h says how and what must hold.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "blocks/index_header.h"
#include "blocks/thanos_meta.h"
#include "damage/allocation_meter.h"
#include "damage/damage.h"
#include "damage/golden_files.h"
#include "io/fake_file_system.h"
#include "io/file_system.h"
#include "io/path.h"
#include "model/histogram.h"
#include "tsdb/block/tombstones.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunks/segment_reader.h"
#include "tsdb/index/index_reader.h"
#include "tsdb/index/series.h"

namespace gauntlet::damage {
namespace {

namespace fs = std::filesystem;

constexpr char kNoData[] = "no shared test data (GAUNTLET_SHARED)";

Outcome Compare(const std::optional<uint64_t>& got, uint64_t right) {
  if (!got) return Outcome::kError;
  return *got == right ? Outcome::kRight : Outcome::kWrong;
}

// ---- index ----------------------------------------------------------------------------------------------------------

std::unique_ptr<io::MappedFile> OnHeap(std::string_view bytes) {
  return std::make_unique<io::MappedFile>(std::string(bytes));
}

// Everything of an index through every path; nothing at the first error.
std::optional<uint64_t> ReadIndex(std::string_view bytes) {
  auto reader = tsdb::IndexReader::FromFile(OnHeap(bytes));
  if (!reader.ok()) return std::nullopt;
  Digest digest;
  auto ids = (*reader)->AllPostings();
  if (!ids.ok()) return std::nullopt;
  tsdb::SeriesDecoder decoder((*reader)->symbols());
  tsdb::SeriesEntry entry;
  for (size_t i = 0; i < ids->size(); ++i) {
    if (!decoder.Decode((*reader)->SeriesBytes((*ids)[i]), &entry).ok()) return std::nullopt;
    digest.Add(entry.packed_labels);
    digest.Add(entry.chunks.data(), entry.chunks.size() * sizeof(tsdb::ChunkMeta));
  }
  for (const auto& name : (*reader)->table().names()) {
    for (auto values = (*reader)->table().ValuesOf(name.name); values.Next();) {
      auto list = (*reader)->Postings(values.range());
      if (!list.ok()) return std::nullopt;
      digest.Add(name.name);
      digest.Add(values.value());
      digest.Add(list->bytes());
    }
  }
  return digest.value();
}

// Where sections, series and lists of postings begin.
std::vector<size_t> IndexBorders(const tsdb::IndexReader& reader) {
  const tsdb::IndexToc& toc = reader.toc();
  std::vector<size_t> borders = {toc.symbols,
                                 toc.series,
                                 toc.label_indices,
                                 toc.label_index_table,
                                 toc.postings,
                                 toc.postings_table,
                                 reader.bytes().size() - tsdb::kIndexTocBytes};
  auto ids = reader.AllPostings();
  for (size_t i = 0; i < ids->size(); ++i) borders.push_back(tsdb::SeriesOffset(reader.version(), (*ids)[i]));
  for (const auto& name : reader.table().names()) {
    for (auto values = reader.table().ValuesOf(name.name); values.Next();) borders.push_back(values.range().begin);
  }
  return borders;
}

TEST(Damage, IndexGivesAnErrorOrTheRightAnswer) {
  auto files = GoldenFilesOf("index");
  if (files.empty()) GTEST_SKIP() << kNoData;
  for (GoldenFile& file : files) {
    auto reader = tsdb::IndexReader::FromFile(OnHeap(file.bytes));
    std::optional<uint64_t> right = ReadIndex(file.bytes);
    ASSERT_TRUE(reader.ok() && right) << file.name;
    // A cut file has no table of contents: with the right one behind it more is read than its absence.
    std::string toc = file.bytes.substr(file.bytes.size() - tsdb::kIndexTocBytes);
    ExpectSound({file.name, std::move(file.bytes), IndexBorders(**reader), true, std::move(toc)},
                [&](std::string_view bytes, size_t) { return Compare(ReadIndex(bytes), *right); });
  }
}

// ---- index header ---------------------------------------------------------------------------------------------------

std::optional<uint64_t> ReadHeader(std::string_view bytes) {
  auto header = blocks::IndexHeader::FromFile(OnHeap(bytes));
  if (!header.ok()) return std::nullopt;
  Digest digest;
  std::string_view symbol;
  for (tsdb::SymbolTable::Cursor symbols((*header)->symbols()); symbols.Next(&symbol);) digest.Add(symbol);
  for (const auto& name : (*header)->table().names()) {
    for (auto values = (*header)->table().ValuesOf(name.name); values.Next();) {
      tsdb::PostingsRange range = values.range();
      digest.Add(name.name);
      digest.Add(values.value());
      digest.Add(&range, sizeof range);
    }
  }
  return digest.value();
}

TEST(Damage, IndexHeaderGivesAnErrorOrTheRightAnswer) {
  auto files = GoldenFilesOf("index-header", "index-header");
  if (files.empty()) GTEST_SKIP() << kNoData;
  for (GoldenFile& file : files) {
    std::optional<uint64_t> right = ReadHeader(file.bytes);
    ASSERT_TRUE(right) << file.name;
    ExpectSound({file.name, std::move(file.bytes)},
                [&](std::string_view bytes, size_t) { return Compare(ReadHeader(bytes), *right); });
  }
}

// ---- chunks ---------------------------------------------------------------------------------------------------------

void AddHistogram(const Histogram& h, Digest* digest) {
  digest->Add(&h.reset_hint, sizeof h.reset_hint);
  digest->Add(&h.is_float, sizeof h.is_float);
  digest->Add(&h.schema, sizeof h.schema);
  const double numbers[] = {h.zero_threshold, h.zero_count, h.count, h.sum};
  digest->Add(numbers, sizeof numbers);
  for (const auto* spans : {&h.positive_spans, &h.negative_spans})
    digest->Add(spans->data(), spans->size() * sizeof(HistogramSpan));
  for (const auto* buckets : {&h.positive_buckets, &h.negative_buckets, &h.custom_values})
    digest->Add(buckets->data(), buckets->size() * sizeof(double));
}

uint64_t DigestOf(const Samples& samples) {
  Digest digest;
  digest.Add(samples.times_ms.data(), samples.size() * 8);
  digest.Add(samples.values.data(), samples.size() * 8);
  digest.Add(samples.start_times_ms.data(), samples.start_times_ms.size() * 8);
  for (const HistogramSample& h : samples.histograms) AddHistogram(h.histogram, &digest);
  return digest.value();
}

// A digest of what a chunk holds; nothing when it does not decode.
std::optional<uint64_t> ReadChunk(tsdb::ChunkView chunk) {
  Digest digest;
  auto add = [&](tsdb::ChunkView one) {
    Samples samples;
    if (!tsdb::DecodeChunk(one, &samples).ok()) return false;
    const uint64_t of_samples = DigestOf(samples);
    digest.Add(&of_samples, sizeof of_samples);
    return true;
  };
  if (chunk.encoding != tsdb::Encoding::kAggregate) return add(chunk) ? std::optional(digest.value()) : std::nullopt;
  auto parts = tsdb::ParseAggrChunk(chunk.bytes);
  if (!parts.ok()) return std::nullopt;
  for (tsdb::ChunkView part : parts->parts) {
    digest.Add(&part.encoding, sizeof part.encoding);
    if (part.encoding != tsdb::Encoding::kNone && !add(part)) return std::nullopt;
  }
  return digest.value();
}

// The chunks of one segment of a block, in their order.
struct SegmentChunks {
  std::vector<uint64_t> refs;
  std::vector<size_t> offsets;
  std::vector<uint64_t> right;
};

// The folder of a block's segments with one of them replaced: by bytes of exactly their length on the heap, so that the
// sanitizer sees what reads beyond them.
class SegmentFolder : public io::FakeFileSystem {
 public:
  explicit SegmentFolder(const std::string& block) : path_(block + "/chunks") {
    auto list = io::RealFileSystem().List(path_);
    EXPECT_TRUE(list.ok()) << path_;
    if (list.ok()) list_ = *std::move(list);
  }
  const std::string& path() const { return path_; }
  // `bytes` are borrowed until the next one.
  void Put(const std::string& name, std::string_view bytes) {
    replaced_ = io::JoinPath(path_, name);
    bytes_ = bytes;
  }

  Result<std::vector<io::FileInfo>> List(const std::string&) override { return list_; }
  Result<std::unique_ptr<io::MappedFile>> Map(const std::string& path) override {
    return path == replaced_ ? OnHeap(bytes_) : io::RealFileSystem().Map(path);
  }

 private:
  const std::string path_;
  std::vector<io::FileInfo> list_;
  std::string replaced_;
  std::string_view bytes_;
};

SegmentChunks ChunksOf(const std::string& block, uint32_t segment) {
  SegmentChunks chunks;
  auto index = tsdb::IndexReader::Open(io::RealFileSystem(), block + "/index");
  auto segments = tsdb::SegmentReader::Open(io::RealFileSystem(), block + "/chunks");
  EXPECT_TRUE(index.ok() && segments.ok()) << block;
  if (!index.ok() || !segments.ok()) return chunks;
  tsdb::SeriesDecoder decoder((*index)->symbols());
  tsdb::SeriesEntry entry;
  auto ids = (*index)->AllPostings();
  for (size_t i = 0; i < ids->size(); ++i) {
    EXPECT_TRUE(decoder.Decode((*index)->SeriesBytes((*ids)[i]), &entry).ok());
    for (const tsdb::ChunkMeta& meta : entry.chunks) {
      if (tsdb::UnpackChunkRef(meta.ref).segment == segment) chunks.refs.push_back(meta.ref);
    }
  }
  std::sort(chunks.refs.begin(), chunks.refs.end());
  for (uint64_t ref : chunks.refs) {
    chunks.offsets.push_back(tsdb::UnpackChunkRef(ref).offset);
    auto chunk = segments->Read(ref);
    std::optional<uint64_t> right = chunk.ok() ? ReadChunk(*chunk) : std::nullopt;
    EXPECT_TRUE(right) << block << " chunk at " << ref;
    chunks.right.push_back(right.value_or(0));
  }
  return chunks;
}

TEST(Damage, SegmentGivesErrorsOrTheRightChunks) {
  auto files = GoldenFilesOf("chunks");
  if (files.empty()) GTEST_SKIP() << kNoData;
  size_t downsampled = 0;
  for (GoldenFile& file : files) {
    if (!fs::exists(file.folder() + "/index")) continue;
    SegmentFolder folder(file.folder());
    const std::string name = fs::path(file.name).filename();
    SegmentChunks chunks = ChunksOf(file.folder(), static_cast<uint32_t>(std::stoul(name) - 1));
    downsampled += file.name.starts_with("downsample/");
    size_t trials = 0;
    ExpectSound({file.name, std::move(file.bytes), chunks.offsets}, [&](std::string_view bytes, size_t place) {
      folder.Put(name, bytes);
      auto segments = tsdb::SegmentReader::Open(folder, folder.path());
      if (!segments.ok()) return Outcome::kError;
      // Only the chunks about the damage can be harmed by it; now and then all of them are read.
      size_t begin = 0, end = chunks.refs.size();
      if (++trials % 200 != 0) {
        auto at = std::upper_bound(chunks.offsets.begin(), chunks.offsets.end(), place) - chunks.offsets.begin();
        begin = static_cast<size_t>(std::max<std::ptrdiff_t>(at - 3, 0));
        end = std::min(end, static_cast<size_t>(at) + 2);
      }
      bool error = false;
      for (size_t i = begin; i < end; ++i) {
        auto chunk = segments->Read(chunks.refs[i]);
        std::optional<uint64_t> got = chunk.ok() ? ReadChunk(*chunk) : std::nullopt;
        if (got && *got != chunks.right[i]) return Outcome::kWrong;
        error = error || !got;
      }
      return error ? Outcome::kError : Outcome::kRight;
    });
  }
  EXPECT_GT(downsampled, 10u);
}

// Without the segment's checksum around it: a flipped bit may be other samples, a cut may not.
TEST(Damage, SingleChunksAreErrorsWhenCut) {
  const auto& chunks = tsdb::GoldenChunks();
  if (chunks.empty()) GTEST_SKIP() << kNoData;
  for (size_t i = 0; i < chunks.size(); i += FullRun() ? 1 : 37) {
    const tsdb::GoldenChunk& chunk = chunks[i];
    std::optional<uint64_t> right = ReadChunk(chunk.view());
    ASSERT_TRUE(right) << chunk.name;
    ExpectSound({chunk.name, chunk.bytes, {}, false},
                [&](std::string_view bytes, size_t) { return Compare(ReadChunk({chunk.encoding, bytes}), *right); });
  }
}

// Decoded one by one, as chunks that may overlap; nothing when one of them does not decode.
std::optional<uint64_t> ReadOneByOne(const std::vector<tsdb::ChunkView>& chunks) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  Samples samples;
  for (const tsdb::ChunkView& chunk : chunks) {
    int64_t from = std::numeric_limits<int64_t>::min();
    if (samples.size() > 0 && samples.times_ms.back() == kMax) break;
    if (samples.size() > 0) from = samples.times_ms.back() + 1;
    if (!tsdb::DecodeChunk(chunk, from, kMax, &samples).ok()) return std::nullopt;
  }
  return DigestOf(samples);
}

std::optional<uint64_t> ReadTogether(const std::vector<tsdb::ChunkView>& chunks) {
  Samples samples;
  Status read =
      tsdb::DecodeChunks(chunks, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), &samples);
  return read.ok() ? std::optional(DigestOf(samples)) : std::nullopt;
}

// One of several that are decoded side by side is damaged: the others must not show it.
TEST(Damage, ChunksDecodedTogetherAreThoseDecodedOneByOne) {
  std::map<std::string, std::vector<const tsdb::GoldenChunk*>> by_series;
  for (const tsdb::GoldenChunk& chunk : tsdb::GoldenChunks()) {
    if (chunk.encoding != tsdb::Encoding::kXor) continue;  // the others are decoded one by one in any case
    const size_t number = chunk.name.find(" chunk ");
    by_series[chunk.name.substr(0, number) + chunk.name.substr(chunk.name.find(" of ", number))].push_back(&chunk);
  }
  if (by_series.empty()) GTEST_SKIP() << kNoData;
  constexpr size_t kTogether = 5;
  size_t tried = 0, passed_over = 0;
  for (const auto& [series, chunks] : by_series) {
    for (size_t begin = 0; begin + 1 < chunks.size(); begin += kTogether) {
      if (!FullRun() && ++passed_over % 4 != 0) continue;
      std::vector<tsdb::ChunkView> views;
      for (size_t i = begin; i < std::min(begin + kTogether, chunks.size()); ++i) views.push_back(chunks[i]->view());
      ASSERT_TRUE(ReadOneByOne(views)) << series;
      const size_t at = tried % views.size();
      ExpectSound({chunks[begin + at]->name + " among others", chunks[begin + at]->bytes},
                  [&](std::string_view bytes, size_t) {
                    std::vector<tsdb::ChunkView> damaged = views;
                    damaged[at].bytes = bytes;
                    return ReadTogether(damaged) == ReadOneByOne(damaged) ? Outcome::kRight : Outcome::kWrong;
                  });
      ++tried;
    }
  }
  EXPECT_GT(tried, 10u);
}

TEST(Damage, SingleDownsampledChunksAreErrorsWhenCut) {
  auto files = GoldenFilesOf("chunks", "downsample");
  if (files.empty()) GTEST_SKIP() << kNoData;
  size_t tried = 0;
  for (const GoldenFile& file : files) {
    auto segments = tsdb::SegmentReader::Open(io::RealFileSystem(), file.folder() + "/chunks");
    ASSERT_TRUE(segments.ok());
    // As many as are read one after the other, a few of each file.
    size_t at = tsdb::kSegmentHeaderBytes;
    for (int i = 0; i < (FullRun() ? 8 : 2) && at < file.bytes.size(); ++i) {
      auto chunk = tsdb::ReadStoredChunk(std::string_view(file.bytes).substr(at));
      if (!chunk.ok() || chunk->encoding != tsdb::Encoding::kAggregate) break;
      std::optional<uint64_t> right = ReadChunk(*chunk);
      ASSERT_TRUE(right) << file.name << " at " << at;
      ExpectSound({file.name + " chunk at " + std::to_string(at), std::string(chunk->bytes), {}, false},
                  [&](std::string_view bytes, size_t) {
                    return Compare(ReadChunk({tsdb::Encoding::kAggregate, bytes}), *right);
                  });
      ++tried;
      at += tsdb::StoredChunkBytes(std::string_view(file.bytes).substr(at));
    }
  }
  EXPECT_GT(tried, 10u);
}

// ---- tombstones and meta.json ---------------------------------------------------------------------------------------

std::optional<uint64_t> ReadTombstones(std::string_view bytes) {
  auto stones = tsdb::Tombstones::Parse(bytes);
  if (!stones.ok()) return std::nullopt;
  Digest digest;
  for (const auto& [id, intervals] : stones->by_series()) {
    digest.Add(&id, sizeof id);
    digest.Add(intervals.data(), intervals.size() * sizeof(tsdb::Interval));
  }
  return digest.value();
}

TEST(Damage, TombstonesGiveAnErrorOrTheRightAnswer) {
  auto files = GoldenFilesOf("tombstones");
  if (files.empty()) GTEST_SKIP() << kNoData;
  size_t longest = 0;
  for (GoldenFile& file : files) {
    std::optional<uint64_t> right = ReadTombstones(file.bytes);
    ASSERT_TRUE(right) << file.name;
    longest = std::max(longest, file.bytes.size());
    ExpectSound({file.name, std::move(file.bytes)},
                [&](std::string_view bytes, size_t) { return Compare(ReadTombstones(bytes), *right); });
  }
  EXPECT_GT(longest, 100u);
}

// JSON has no checksum: a flipped digit is another meta. But a cut one is none, and what is read is written the same.
TEST(Damage, MetaJsonIsAnErrorWhenCut) {
  auto files = GoldenFilesOf("meta.json");
  if (files.empty()) GTEST_SKIP() << kNoData;
  for (GoldenFile& file : files) {
    auto right = blocks::ParseMeta(file.bytes);
    ASSERT_TRUE(right.ok()) << file.name;
    ExpectSound({file.name, std::move(file.bytes), {}, false}, [&](std::string_view bytes, size_t) {
      auto meta = blocks::ParseMeta(bytes);
      if (!meta.ok()) return Outcome::kError;
      // Bytes that are no UTF-8 become U+FFFD when written, as in Go: from then on it stays the same.
      auto written = blocks::ParseMeta(blocks::FormatMeta(*meta));
      EXPECT_TRUE(written.ok()) << bytes;
      if (!written.ok()) return Outcome::kWrong;
      auto again = blocks::ParseMeta(blocks::FormatMeta(*written));
      EXPECT_TRUE(again.ok() && *again == *written) << bytes;
      return *meta == *right ? Outcome::kRight : Outcome::kWrong;
    });
  }
}

TEST(AllocationMeter, CountsWhatIsHeldAtOnce) {
  auto before = std::make_unique<std::string>(100'000, 'x');
  AllocationMeter meter;
  for (int i = 0; i < 100; ++i) {
    std::string one(10'000, static_cast<char>('a' + i % 26));
    ASSERT_EQ(one.back(), static_cast<char>('a' + i % 26));
  }
  EXPECT_GE(meter.peak_bytes(), 10'000);
  EXPECT_LT(meter.peak_bytes(), 30'000);
  auto more = std::make_unique<std::string>(200'000, 'y');
  EXPECT_GE(meter.peak_bytes(), 200'000);
}

}  // namespace
}  // namespace gauntlet::damage
