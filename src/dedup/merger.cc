#include "dedup/merger.h"

#include "base/check.h"
#include "dedup/chain.h"
#include "dedup/penalty.h"
#include "dedup/stitch.h"

namespace gauntlet::dedup {
namespace {

// Replicas that are decoded already.
class DecodedSource : public ReplicaSource {
 public:
  explicit DecodedSource(std::span<const Samples> replicas) : replicas_(replicas) {}
  Status Read(size_t replica, Samples* out) override {
    AppendRange(replicas_[replica], 0, replicas_[replica].size(), out);
    return Status();
  }

 private:
  std::span<const Samples> replicas_;
};

}  // namespace

Result<Algorithm> ParseAlgorithm(std::string_view name) {
  if (name == "penalty") return Algorithm::kPenalty;
  if (name == "chain") return Algorithm::kChain;
  if (name == "stitch") return Algorithm::kStitch;
  return Status(Code::kInvalid,
                "unknown deduplication function \"" + std::string(name) + "\": there are penalty, chain and stitch");
}

bool IsCounterFunction(std::string_view function) {
  return function == "increase" || function == "rate" || function == "irate" || function == "resets";
}

ReplicaMerger::ReplicaMerger(Algorithm algorithm, std::string_view function)
    : algorithm_(algorithm), counter_(IsCounterFunction(function)), stitcher_(std::make_unique<Stitcher>()) {}
ReplicaMerger::~ReplicaMerger() = default;

Status ReplicaMerger::Merge(std::span<const ReplicaInfo> replicas, ReplicaSource& source, Samples* out) {
  if (replicas.empty()) return Status();
  if (replicas.size() == 1 && out->size() == 0) return source.Read(0, out);
  if (algorithm_ == Algorithm::kStitch) return stitcher_->Merge(replicas, source, counter_, out);
  if (buffers_.size() < replicas.size()) buffers_.resize(replicas.size());
  std::vector<const Samples*> decoded;
  for (size_t i = 0; i < replicas.size(); ++i) {
    buffers_[i].Clear();
    GN_TRY(source.Read(i, &buffers_[i]));
    decoded.push_back(&buffers_[i]);
  }
  if (algorithm_ == Algorithm::kPenalty) {
    MergeWithPenalty(decoded, counter_, out);
  } else {
    ChainReplicas(decoded, out);
  }
  return Status();
}

void ReplicaMerger::Merge(std::span<const Samples> replicas, Samples* out) {
  std::vector<ReplicaInfo> infos;
  for (const Samples& samples : replicas) {
    if (samples.size() == 0) {
      infos.push_back({0, 0, 0});
    } else {
      infos.push_back({samples.times_ms.front(), samples.times_ms.back(), samples.size()});
    }
  }
  DecodedSource source(replicas);
  Status status = Merge(infos, source, out);
  GN_CHECK(status.ok());
}

}  // namespace gauntlet::dedup
