// CheckedSource: a source whose chunks lie within the times that its meta says. What lies outside would vanish in a
// merge without anybody being told.
//
// Upstream: thanos pkg/block/index.go (HealthStats.CriticalErr)
// Threads:  as the source below.

#pragma once

#include <memory>
#include <string_view>

#include "tsdb/compact/source.h"

namespace gauntlet::compactor {

// In the text of such an error, whose fault is kIndex.
inline constexpr char kOutsideText[] = "outside of the block's times";

class CheckedSource final : public tsdb::BlockSource {
 public:
  explicit CheckedSource(std::unique_ptr<tsdb::BlockSource> inner) : inner_(std::move(inner)) {}

  const tsdb::BlockMeta& meta() const override { return inner_->meta(); }
  Result<bool> NextSymbol(const Cancel& cancel, std::string_view* symbol) override;
  Result<bool> Next(const Cancel& cancel, tsdb::SourceSeries* out) override;

 private:
  // The error of the inner source, with its fault.
  Status Pass(const Status& status);

  const std::unique_ptr<tsdb::BlockSource> inner_;
};

}  // namespace gauntlet::compactor
