#include "tsdb/compact/sample_encoder.h"

#include <utility>

#include "base/check.h"
#include "tsdb/chunkenc/histogram_layout.h"

namespace gauntlet::tsdb {

void SampleEncoder::Append(const Samples& samples) {
  auto h = samples.histograms.begin();
  for (size_t i = 0; i < samples.size(); ++i) {
    int64_t start_ms = samples.start_times_ms.empty() ? 0 : samples.start_times_ms[i];
    if (h != samples.histograms.end() && h->position == i) {
      Append(start_ms, samples.times_ms[i], (h++)->histogram);
    } else {
      Append(start_ms, samples.times_ms[i], samples.values[i]);
    }
  }
}

void SampleEncoder::Append(int64_t start_ms, int64_t t_ms, double v) {
  bool fits = count_ < samples_max_ && (open_ == Encoding::kXor2 || (open_ == Encoding::kXor && start_ms == 0));
  if (!fits) Begin(xor2_ || start_ms != 0 ? Encoding::kXor2 : Encoding::kXor, t_ms);
  if (open_ == Encoding::kXor) {
    xor_chunk_.Append(t_ms, v);
  } else {
    xor2_chunk_.Append(start_ms, t_ms, v);
  }
  ++count_;
  maxt_ms_ = t_ms;
}

void SampleEncoder::Append(int64_t start_ms, int64_t t_ms, const Histogram& h) {
  Encoding encoding = h.is_float ? (start_ms != 0 ? Encoding::kFloatHistogramSt : Encoding::kFloatHistogram)
                                 : (start_ms != 0 ? Encoding::kHistogramSt : Encoding::kHistogram);
  if (open_ != encoding || count_ >= samples_max_ || histograms_->count() >= histograms_->max_count()) {
    Begin(encoding, t_ms);
  }
  std::string finished;
  if (histograms_->Append(start_ms, t_ms, h, nullptr, &finished) == HistogramAppender::Outcome::kNewChunk) {
    out_.push_back({open_, std::move(finished), mint_ms_, maxt_ms_});
    mint_ms_ = t_ms;
    count_ = 0;
  }
  ++count_;
  maxt_ms_ = t_ms;
}

void SampleEncoder::Begin(Encoding encoding, int64_t t_ms) {
  Cut();
  open_ = encoding;
  mint_ms_ = t_ms;
  if (IsHistogramEncoding(encoding)) histograms_.emplace(encoding);
}

void SampleEncoder::Cut() {
  if (count_ != 0) {
    std::string bytes = open_ == Encoding::kXor    ? xor_chunk_.Release()
                        : open_ == Encoding::kXor2 ? xor2_chunk_.Release()
                                                   : histograms_->Release();
    out_.push_back({open_, std::move(bytes), mint_ms_, maxt_ms_});
  }
  count_ = 0;
  open_ = Encoding::kNone;
}

void EncodeRest(Encoding encoding, const Samples& samples, std::vector<EncodedChunk>* out) {
  // A chunk has at most as many samples as one of its encoding can hold.
  SampleEncoder encoder(encoding == Encoding::kXor2, UINT16_MAX, out);
  if (!HasStartTimes(encoding)) {
    encoder.Append(samples);
    encoder.Finish();
    return;
  }
  // The encoding stays, also where no sample that is left has a start time.
  HistogramAppender appender(encoding);
  int64_t mint_ms = 0, maxt_ms = 0;
  for (const HistogramSample& h : samples.histograms) {
    size_t i = h.position;
    int64_t start_ms = samples.start_times_ms.empty() ? 0 : samples.start_times_ms[i];
    std::string finished;
    bool first = appender.count() == 0;
    if (appender.Append(start_ms, samples.times_ms[i], h.histogram, nullptr, &finished) ==
        HistogramAppender::Outcome::kNewChunk) {
      out->push_back({encoding, std::move(finished), mint_ms, maxt_ms});
      first = true;
    }
    if (first) mint_ms = samples.times_ms[i];
    maxt_ms = samples.times_ms[i];
  }
  if (appender.count() != 0) out->push_back({encoding, appender.Release(), mint_ms, maxt_ms});
}

}  // namespace gauntlet::tsdb
