// SortWindow: puts a stream back in order whose labels were extended by external labels.
//
// A constant label added to every series changes the order of two series only if one extends the other: {a} and {a,b}
// become {a,c=x} and {a,b,c=x}, and swap. So a series need only wait while its own extensions pass, and no more series
// wait at a time than a series has labels. Anything that arrives below what was given out breaks that promise, and is
// an error.
//
// Threads: one thread at a time.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace gauntlet::storeapi {

template <typename Payload>
class SortWindow {
 public:
  struct Item {
    Labels labels;  // final ones
    Payload payload;
  };

  // Takes the next item and appends to `out` the items that must come before everything yet to arrive.
  Status Push(Item item, std::vector<Item>* out) {
    if (CompareLabels(item.labels, last_) < 0) {
      return Status(Code::kCorrupt, "series out of order: " + item.labels.ToString() + " after " + last_.ToString());
    }
    // held_ is in descending order: the smallest is at the back.
    while (!held_.empty() && CompareLabels(held_.back().labels, item.labels) < 0) Release(out);
    auto at = held_.end();
    while (at != held_.begin() && CompareLabels(std::prev(at)->labels, item.labels) <= 0)
      --at;  // equal ones keep their order
    held_.insert(at, std::move(item));
    return Status();
  }

  void Flush(std::vector<Item>* out) {
    while (!held_.empty()) Release(out);
  }

  size_t held() const { return held_.size(); }

 private:
  void Release(std::vector<Item>* out) {
    last_ = held_.back().labels;
    out->push_back(std::move(held_.back()));
    held_.pop_back();
  }

  std::vector<Item> held_;
  Labels last_;
};

}  // namespace gauntlet::storeapi
