#include "tsdb/chunkenc/transcode.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "tsdb/chunkenc/histogram_appender.h"
#include "tsdb/chunkenc/histogram_layout.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

// Cuts a run of samples into chunks. One thread at a time.
class ChunkCutter {
 public:
  ChunkCutter(size_t samples_max, std::vector<EncodedChunk>* out) : samples_max_(samples_max), out_(out) {}

  void Append(int64_t t, double v) {
    if (histograms_ || xor_.count() >= samples_max_) Cut();
    if (xor_.count() == 0) mint_ = t;
    xor_.Append(t, v);
    maxt_ = t;
  }

  void Append(int64_t t, const Histogram& h) {
    Encoding encoding = h.is_float ? Encoding::kFloatHistogram : Encoding::kHistogram;
    if (xor_.count() != 0 ||
        (histograms_ && (histograms_->encoding() != encoding || histograms_->count() >= samples_max_))) {
      Cut();
    }
    if (!histograms_) histograms_.emplace(encoding);
    if (histograms_->count() == 0) mint_ = t;
    std::string finished;
    const HistogramAppender* previous = previous_ ? &*previous_ : nullptr;
    if (histograms_->Append(0, t, h, previous, &finished) == HistogramAppender::Outcome::kNewChunk) {
      out_->push_back({encoding, std::move(finished), mint_, maxt_});
      mint_ = t;
    }
    maxt_ = t;
  }

  void Cut() {
    if (histograms_) {
      EncodedChunk chunk{histograms_->encoding(), std::string(histograms_->bytes()), mint_, maxt_};
      previous_ = std::exchange(histograms_, std::nullopt);
      out_->push_back(std::move(chunk));
    } else if (xor_.count() != 0) {
      out_->push_back({Encoding::kXor, xor_.Release(), mint_, maxt_});
      previous_.reset();
    }
  }

 private:
  size_t samples_max_;
  std::vector<EncodedChunk>* out_;
  int64_t mint_ = 0, maxt_ = 0;
  XorAppender xor_;
  std::optional<HistogramAppender> histograms_, previous_;
};

}  // namespace

bool IsPortable(Encoding encoding) {
  return encoding == Encoding::kXor || encoding == Encoding::kHistogram || encoding == Encoding::kFloatHistogram;
}

Result<std::vector<EncodedChunk>> Transcode(ChunkView chunk) {
  Samples samples;
  GN_TRY(DecodeChunk(chunk, &samples));
  std::vector<EncodedChunk> chunks;
  if (samples.size() == 0) return chunks;
  if (IsPortable(chunk.encoding)) {
    chunks.push_back({chunk.encoding, std::string(chunk.bytes), samples.times_ms.front(), samples.times_ms.back()});
    return chunks;
  }
  EncodeSamples(samples, UINT16_MAX, &chunks);
  HistogramHeader header;
  if (IsHistogramEncoding(chunk.encoding) && ReadHistogramHeader(chunk.encoding, chunk.bytes, &header)) {
    chunks.front().bytes[2] = static_cast<char>(static_cast<uint8_t>(header.reset) << 6);
  }
  return chunks;
}

void EncodeSamples(const Samples& samples, size_t samples_max, std::vector<EncodedChunk>* out) {
  GN_CHECK(samples_max >= 1 && samples_max <= UINT16_MAX);
  ChunkCutter cutter(samples_max, out);
  auto h = samples.histograms.begin();
  for (size_t i = 0; i < samples.size(); ++i) {
    if (h != samples.histograms.end() && h->position == i) {
      cutter.Append(samples.times_ms[i], (h++)->histogram);
    } else {
      cutter.Append(samples.times_ms[i], samples.values[i]);
    }
  }
  cutter.Cut();
}

}  // namespace gauntlet::tsdb
