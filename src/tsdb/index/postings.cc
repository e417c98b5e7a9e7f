#include "tsdb/index/postings.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/varint.h"
#include "tsdb/index/toc.h"

namespace gauntlet::tsdb {
namespace {

// The first index at or after `begin` with an id >= target: doubling steps, then halving, so that a near one is cheap
// and a far one logarithmic.
template <typename List>
size_t Gallop(const List& list, size_t begin, uint32_t target) {
  size_t size = list.size(), step = 1, low = begin;
  while (low < size && list[low] < target) {
    begin = low + 1;
    low += step;
    step *= 2;
  }
  size_t high = std::min(low, size);  // list[high] >= target, or the end
  while (begin < high) {
    size_t middle = begin + (high - begin) / 2;
    if (list[middle] < target) {
      begin = middle + 1;
    } else {
      high = middle;
    }
  }
  return begin;
}

// Over anything with size() and operator[].
template <typename List>
class ListCursor : public PostingsCursor {
 public:
  explicit ListCursor(List list) : list_(std::move(list)) {}
  bool Next() override {
    if (next_ >= list_.size()) return false;
    id_ = list_[next_++];
    return true;
  }
  bool Seek(uint32_t target) override {
    if (next_ > 0 && id_ >= target) return true;
    next_ = Gallop(list_, next_, target);
    return Next();
  }
  size_t size_max() const override { return list_.size() - next_; }

 private:
  List list_;
  size_t next_ = 0;
};

class IntersectCursor : public PostingsCursor {
 public:
  explicit IntersectCursor(std::vector<PostingsCursorPtr> inputs) : inputs_(std::move(inputs)) {
    std::stable_sort(inputs_.begin(), inputs_.end(),
                     [](const auto& a, const auto& b) { return a->size_max() < b->size_max(); });
  }
  bool Next() override { return inputs_[0]->Next() && Agree(); }
  bool Seek(uint32_t target) override { return inputs_[0]->Seek(target) && Agree(); }
  size_t size_max() const override { return inputs_[0]->size_max(); }

 private:
  // Moves all to the first id that they share, from that of the first one on.
  bool Agree() {
    id_ = inputs_[0]->id();
    for (size_t i = 1; i < inputs_.size();) {
      if (!inputs_[i]->Seek(id_)) return false;
      if (inputs_[i]->id() == id_) {
        ++i;
        continue;
      }
      if (!inputs_[0]->Seek(inputs_[i]->id())) return false;
      id_ = inputs_[0]->id();
      i = 1;
    }
    return true;
  }

  std::vector<PostingsCursorPtr> inputs_;
};

// For few inputs: looks at all of them each time, and so can seek without reading.
class MergeCursor : public PostingsCursor {
 public:
  explicit MergeCursor(std::vector<PostingsCursorPtr> inputs) : inputs_(std::move(inputs)) {}
  bool Next() override {
    if (!started_) return Start([](PostingsCursor& input) { return input.Next(); });
    uint32_t last = id_;
    return Each([last](PostingsCursor& input) { return input.id() != last || input.Next(); });
  }
  bool Seek(uint32_t target) override {
    if (!started_) return Start([target](PostingsCursor& input) { return input.Seek(target); });
    if (id_ >= target) return !inputs_.empty();
    return Each([target](PostingsCursor& input) { return input.Seek(target); });
  }
  size_t size_max() const override {
    size_t sum = started_ ? inputs_.size() : 0;  // those that an input stands on are still to come
    for (const auto& input : inputs_) sum += input->size_max();
    return sum;
  }

 private:
  template <typename Move>
  bool Start(const Move& move) {
    started_ = true;
    return Each(move);
  }
  // Moves every input, drops those that end, and stands on the least id.
  template <typename Move>
  bool Each(const Move& move) {
    size_t kept = 0;
    id_ = UINT32_MAX;
    for (auto& input : inputs_) {
      if (!move(*input)) continue;
      id_ = std::min(id_, input->id());
      if (&inputs_[kept] != &input) inputs_[kept] = std::move(input);
      ++kept;
    }
    inputs_.resize(kept);
    return kept > 0;
  }

  std::vector<PostingsCursorPtr> inputs_;
  bool started_ = false;
};

class WithoutCursor : public PostingsCursor {
 public:
  WithoutCursor(PostingsCursorPtr from, PostingsCursorPtr minus) : from_(std::move(from)), minus_(std::move(minus)) {}
  bool Next() override { return from_->Next() && SkipMinus(); }
  bool Seek(uint32_t target) override {
    if (started_ && id_ >= target) return true;
    return from_->Seek(target) && SkipMinus();
  }
  size_t size_max() const override { return from_->size_max(); }

 private:
  bool SkipMinus() {
    started_ = true;
    for (;;) {
      id_ = from_->id();
      if (minus_ != nullptr && !minus_->Seek(id_)) minus_.reset();
      if (minus_ == nullptr || minus_->id() != id_) return true;
      if (!from_->Next()) return false;
    }
  }

  PostingsCursorPtr from_, minus_;
  bool started_ = false;
};

constexpr size_t kMergeLazilyMax = 8;

// All ids of many lists, sorted: marked in a bitmap where they lie densely enough, else sorted.
std::vector<uint32_t> ReadUnion(std::vector<PostingsCursorPtr>& inputs) {
  std::vector<uint32_t> ids;
  size_t sum = 0;
  for (const auto& input : inputs) sum += input->size_max();
  ids.reserve(sum);
  uint32_t least = UINT32_MAX, most = 0;
  for (auto& input : inputs) {
    while (input->Next()) {
      ids.push_back(input->id());
      least = std::min(least, input->id());
      most = std::max(most, input->id());
    }
    input.reset();
  }
  if (ids.empty()) return ids;
  uint64_t range = uint64_t{most} - least + 1;
  if (range / 64 > ids.size() * 4) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }
  std::vector<uint64_t> marks(range / 64 + 1);
  for (uint32_t id : ids) marks[(id - least) / 64] |= uint64_t{1} << ((id - least) % 64);
  ids.clear();
  for (size_t word = 0; word < marks.size(); ++word) {
    for (uint64_t bits = marks[word]; bits != 0; bits &= bits - 1) {
      ids.push_back(least + static_cast<uint32_t>(word * 64) + static_cast<uint32_t>(std::countr_zero(bits)));
    }
  }
  return ids;
}

}  // namespace

Result<PostingsList> PostingsList::Parse(std::string_view section) {
  GN_ASSIGN(std::string_view content, ReadSection(section));
  ByteReader in(content);
  uint32_t count = 0;
  if (!in.Be32(&count) || in.left() != uint64_t{count} * 4) {
    return Status(Code::kCorrupt, fmt::format("postings list of {} ids has {} bytes", count, in.left()));
  }
  PostingsList list;
  list.ids_ = in.position();
  list.size_ = count;
  return list;
}

PostingsCursorPtr EmptyPostings() { return ListPostings(PostingsList()); }

PostingsCursorPtr ListPostings(PostingsList list) { return std::make_unique<ListCursor<PostingsList>>(list); }

PostingsCursorPtr OwnedPostings(std::vector<uint32_t> ids) {
  return std::make_unique<ListCursor<std::vector<uint32_t>>>(std::move(ids));
}

PostingsCursorPtr IntersectPostings(std::vector<PostingsCursorPtr> inputs) {
  GN_DCHECK(!inputs.empty());
  if (inputs.size() == 1) return std::move(inputs[0]);
  return std::make_unique<IntersectCursor>(std::move(inputs));
}

PostingsCursorPtr MergePostings(std::vector<PostingsCursorPtr> inputs) {
  if (inputs.empty()) return EmptyPostings();
  if (inputs.size() == 1) return std::move(inputs[0]);
  if (inputs.size() <= kMergeLazilyMax) return std::make_unique<MergeCursor>(std::move(inputs));
  return OwnedPostings(ReadUnion(inputs));
}

PostingsCursorPtr WithoutPostings(PostingsCursorPtr from, PostingsCursorPtr minus) {
  return std::make_unique<WithoutCursor>(std::move(from), std::move(minus));
}

std::vector<uint32_t> DrainPostings(PostingsCursor& cursor) {
  std::vector<uint32_t> ids;
  while (cursor.Next()) ids.push_back(cursor.id());
  return ids;
}

bool AnyInPostings(PostingsCursor& cursor, std::span<const uint32_t> ids) {
  for (size_t next = 0; next < ids.size();) {
    if (!cursor.Seek(ids[next])) return false;
    if (cursor.id() == ids[next]) return true;
    next = Gallop(ids, next, cursor.id());
  }
  return false;
}

}  // namespace gauntlet::tsdb
