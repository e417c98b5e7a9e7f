// NameDropper: takes the metric's name (and type and unit) from a series whose values no longer mean that metric.
//
// At once, or with delayed name removal by marking the row. Series that become equal at once are an error or one
// series; telling needs all of them. So the dropper only watches whether that can happen, and then ends the query with
// ExecContext::NeedsCare; run again "carefully", an operator above (merge.h) holds the series and merges.
//
// Threads: thread-safe.

#pragma once

#include "promql/exec/rows/context.h"
#include "promql/exec/rows/label_ops.h"
#include "promql/exec/rows/row.h"
#include "promql/exec/rows/stage.h"

namespace gauntlet::promql {

class NameDropper {
 public:
  enum What : uint8_t { kMetadata, kOnlyName };
  // `careful`: somebody above merges. kOnlyName: type and unit stay, if names are dropped at once.
  NameDropper(ExecContext& context, bool careful, What what = kMetadata)
      : context_(context), careful_(careful), what_(what) {}

  Status Drop(LabelsView labels, Row* row, WorkerScratch* scratch) const {
    row->drop_name = true;
    if (context_.options.delayed_name_removal) {
      if (labels.packed().data() != row->labels.packed().data()) row->labels = Labels(labels);
      return Status();
    }
    scratch->text.clear();
    row->labels = what_ == kMetadata ? DropMetadata(labels, &scratch->text) : DropName(labels, &scratch->text);
    if (careful_ || guard_.Same(scratch->text)) return Status();
    return context_.NeedsCare();
  }
  Status Drop(Row* row, WorkerScratch* scratch) const { return Drop(row->labels, row, scratch); }

 private:
  ExecContext& context_;
  const bool careful_;
  const What what_;
  mutable NameGuard guard_;
};

}  // namespace gauntlet::promql
