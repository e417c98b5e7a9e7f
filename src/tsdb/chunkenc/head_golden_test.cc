// The histograms of recorded appends, cut into chunks as the real head cuts them, are the chunks of its block byte for
// byte: rewriting, widening, reset headers and all.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "base/varint.h"
#include "json/reader.h"
#include "model/stale.h"
#include "tsdb/chunkenc/histogram_appender.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kChunkRange = 7200000;
constexpr size_t kTargetBytes = 1024;

int64_t RangeEnd(int64_t t) { return t / kChunkRange * kChunkRange + kChunkRange; }

int64_t ChunkEnd(int64_t start, int64_t current, int64_t max, double ratio) {
  double n = static_cast<double>(max - start) / (static_cast<double>(current - start + 1) * ratio);
  if (n <= 1) return max;
  return static_cast<int64_t>(static_cast<double>(start) + static_cast<double>(max - start) / std::floor(n));
}

// The histogram half of one series in the head: upstream's rules of when to cut, over our appender.
class HeadSeries {
 public:
  explicit HeadSeries(bool start_times) : start_times_(start_times) {}

  // A float's stale marker after histograms becomes one of theirs.
  void Float(int64_t start, int64_t t, double v) {
    if (current_ == nullptr || !IsStaleNaN(v)) {
      Finish();
      return;
    }
    Histogram stale;
    stale.is_float = IsFloatHistogram(current_->encoding());
    stale.sum = v;
    Append(start, t, stale);
  }
  void Append(int64_t start, int64_t t, const Histogram& h) {
    Encoding encoding = h.is_float ? (start_times_ ? Encoding::kFloatHistogramSt : Encoding::kFloatHistogram)
                                   : (start_times_ ? Encoding::kHistogramSt : Encoding::kHistogram);
    std::unique_ptr<HistogramAppender> previous;
    bool created = false;
    auto cut = [&] {
      previous = Finish();
      current_ = std::make_unique<HistogramAppender>(encoding);
      min_ = t;
      next_at_ = RangeEnd(t);
      created = true;
    };
    if (current_ == nullptr || current_->encoding() != encoding) cut();
    size_t bytes = current_->bytes().size();
    int64_t range_end = predicted_ ? RangeEnd(min_) : next_at_;
    if (!predicted_ && bytes >= kTargetBytes / 4) {
      next_at_ = ChunkEnd(min_, max_, next_at_, static_cast<double>(kTargetBytes) / static_cast<double>(bytes));
      predicted_ = true;
    }
    if ((t >= next_at_ || bytes >= 2 * kTargetBytes) && (current_->count() >= 10 || t >= range_end)) cut();
    if (created) predicted_ = false;
    std::string finished;
    if (current_->Append(start, t, h, previous.get(), &finished) == HistogramAppender::Outcome::kNewChunk) {
      chunks_.push_back(std::move(finished));
      min_ = t;
      next_at_ = RangeEnd(t);
    }
    max_ = t;
  }
  std::unique_ptr<HistogramAppender> Finish() {
    if (current_ != nullptr) chunks_.emplace_back(current_->bytes());
    return std::move(current_);
  }
  const std::vector<std::string>& chunks() const { return chunks_; }

 private:
  bool start_times_;
  std::unique_ptr<HistogramAppender> current_;
  int64_t min_ = 0, max_ = 0, next_at_ = 0;
  bool predicted_ = false;
  std::vector<std::string> chunks_;
};

// The histogram chunks of each series of a block, by its labels.
std::map<std::string, std::vector<std::string>> BlockChunks(const std::string& block) {
  std::map<std::string, std::vector<std::string>> all;
  std::ifstream file(GoldenFolder() + "/blocks/" + block + "/chunks/000001", std::ios::binary);
  std::string segment((std::istreambuf_iterator<char>(file)), {});
  for (const auto& line : GoldenLines("blocks/" + block + ".series.jsonl.gz")) {
    auto document = json::Document::Parse(line);
    EXPECT_TRUE(document.ok());
    auto labels = line.substr(line.find("\"labels\":") + 9);
    auto& chunks = all[labels.substr(0, labels.find('}') + 1)];
    json::Value list = document->root().Get("chunks");
    for (size_t i = 0; i < list.size(); ++i) {
      ByteReader in(std::string_view(segment).substr(list[i].Get("ref").Uint().value_or(0) & 0xffffffff));
      uint64_t length = 0;
      uint8_t encoding = 0;
      std::string_view bytes;
      EXPECT_TRUE(in.Uvarint(&length) && in.U8(&encoding) && in.Bytes(length, &bytes));
      if (IsHistogramEncoding(static_cast<Encoding>(encoding))) chunks.emplace_back(bytes);
    }
  }
  return all;
}

void ExpectTheBlocksChunks(const std::string& block, bool start_times, size_t expected) {
  auto wanted = BlockChunks(block);
  std::map<std::string, HeadSeries> series;
  std::vector<HeadSeries*> by_number;
  for (const auto& line : GoldenLines("blocks/" + block + ".input.txt.gz")) {
    if (line.starts_with("series ")) {
      auto labels = line.substr(line.find('{'));
      by_number.push_back(&series.try_emplace(labels, start_times).first->second);
    } else if (line != "commit") {
      auto space = line.find(' ');
      HeadSeries& head = *by_number[std::stoul(line.substr(0, space))];
      Samples sample;
      AppendSampleText(line.substr(space + 1), &sample);
      if (sample.histograms.empty()) {
        head.Float(sample.start_times_ms[0], sample.times_ms[0], sample.values[0]);
      } else {
        head.Append(sample.start_times_ms[0], sample.times_ms[0], sample.histograms[0].histogram);
      }
    }
  }
  size_t checked = 0;
  for (auto& [labels, head] : series) {
    head.Finish();
    const auto& chunks = wanted[labels];
    ASSERT_EQ(head.chunks().size(), chunks.size()) << labels;
    for (size_t i = 0; i < chunks.size(); ++i) {
      std::string got = head.chunks()[i];
      // The head's open chunk is written anew by the compaction, which does not know of the one before.
      size_t flags = start_times ? 0 : 2;
      if (i + 1 == chunks.size() && chunks[i][flags] >> 6 == 0) got[flags] &= 0x3f;
      EXPECT_TRUE(got == chunks[i]) << labels << " chunk " << i << " of " << chunks.size() << ": " << got.size()
                                    << " bytes, wanted " << chunks[i].size();
    }
    checked += chunks.size();
  }
  EXPECT_EQ(checked, expected) << block;
}

TEST(HeadGolden, HistogramChunksOfABlock) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  ExpectTheBlocksChunks("hist-2h", false, 426);
}

TEST(HeadGolden, HistogramChunksWithStartTimes) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  ExpectTheBlocksChunks("st-xor2-2h", true, 311);
}

}  // namespace
}  // namespace gauntlet::tsdb
