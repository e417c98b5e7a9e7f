// The label messages of a series: turned into packed labels while they are walked (LabelFields), and written from them.
//
// Senders keep labels in name order, so the common case is one pass over the bytes; others are sorted at the end. As in
// Labels, an empty value is an absent label, and of equal names the last wins.
//
// Threads: one thread at a time. Reused between series, so that its buffer is allocated once.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/labels.h"

namespace gauntlet::wire {

class LabelFields {
 public:
  void Clear() {
    size_ = 0;
    sorted_ = true;
    last_ = {};
  }

  // Takes the labels of ordinary shape, fields of number 1, from `p` on; returns where they end: at another field, or
  // at a label for Take(). Bytes up to `readable` may be read: the last labels before it end the run.
  const char* TakeRun(const char* p, const char* end, const char* readable);
  // Takes one label message of any shape; false when malformed, or longer than labels can be.
  bool Take(std::string_view label);

  // The labels taken since Clear(), valid until Clear(), which must come before the next label.
  LabelsView Finish() {
    if (!sorted_) Sort();
    return LabelsView(std::string_view(buffer_.get(), size_));
  }

 private:
  void Append(std::string_view name, std::string_view value);
  void Reserve(size_t more) {
    if (capacity_ - size_ < more) Grow(more);
  }
  void Grow(size_t more);
  void Sort();

  std::unique_ptr<char[]> buffer_;
  size_t size_ = 0, capacity_ = 0;
  std::string_view last_;  // name of the label before
  bool sorted_ = true;
};

// Labels as fields of number 1, which they are in all our contracts: their size, and the appending of them.
size_t LabelFieldsSize(LabelsView labels);
// REQUIRES: bytes == LabelFieldsSize(labels)
void AppendLabelFields(std::string& out, LabelsView labels, size_t bytes);

}  // namespace gauntlet::wire
