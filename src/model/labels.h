// Labels: the sorted name/value pairs that identify a series, packed into one string.
//
// The packing is that of Prometheus' `stringlabels` build: each name, then its value, as a length (one byte, or 0xff
// and three bytes little-endian from 255 up) and the bytes. So equality is one memcmp, a copy one allocation, and
// Hash() is the hash that Prometheus' limit_ratio and rule slots see.
//
// Upstream: prometheus model/labels/labels_stringlabels.go
// Threads:  values; const use is shareable. A LabelsView borrows the packed bytes of whoever made it.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauntlet {

inline constexpr std::string_view kMetricName = "__name__";
inline constexpr std::string_view kBucketLabel = "le";

struct Label {
  std::string_view name, value;
  bool operator==(const Label&) const = default;
};

// Borrowed packed labels. Cheap to copy.
class LabelsView {
 public:
  class Iterator {
   public:
    using value_type = Label;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const char* p, const char* end) : p_(p), end_(end) { Load(); }
    const Label& operator*() const { return label_; }
    const Label* operator->() const { return &label_; }
    Iterator& operator++() {
      p_ = next_;
      Load();
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    bool operator==(const Iterator& other) const { return p_ == other.p_; }

   private:
    void Load() {
      if (p_ == end_) return;
      const char* p = p_;
      label_.name = Take(p);
      label_.value = Take(p);
      next_ = p;
    }
    static std::string_view Take(const char*& p) {
      size_t n = static_cast<uint8_t>(*p++);
      if (n == 255) {
        n = static_cast<uint8_t>(p[0]) | static_cast<uint8_t>(p[1]) << 8 |
            static_cast<size_t>(static_cast<uint8_t>(p[2])) << 16;
        p += 3;
      }
      std::string_view s(p, n);
      p += n;
      return s;
    }
    const char* p_ = nullptr;
    const char* next_ = nullptr;
    const char* end_ = nullptr;
    Label label_;
  };

  LabelsView() = default;
  // REQUIRES: `packed` was made by LabelsBuilder or PackLabel, in name order, without duplicates.
  explicit LabelsView(std::string_view packed) : packed_(packed) {}

  Iterator begin() const { return {packed_.data(), packed_.data() + packed_.size()}; }
  Iterator end() const { return {packed_.data() + packed_.size(), packed_.data() + packed_.size()}; }
  bool empty() const { return packed_.empty(); }
  size_t size() const;  // number of labels; walks
  std::string_view packed() const { return packed_; }

  // The value, or "" when absent (an empty value and an absent label are the same).
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  // xxHash64 of the packing.
  uint64_t Hash() const;
  // Go's text form: {a="b", c="d"}, with __name__ like any other; names that are not legacy identifiers are quoted.
  std::string ToString() const;

  bool operator==(const LabelsView& other) const { return packed_ == other.packed_; }

 private:
  std::string_view packed_;
};

// Prometheus' order (labels.Compare): pair by pair, name then value as bytes; a prefix sorts first. <0, 0, >0.
int CompareLabels(LabelsView a, LabelsView b);

// Owned packed labels.
class Labels {
 public:
  Labels() = default;
  explicit Labels(LabelsView view) : packed_(view.packed()) {}
  // Sorts; drops empty values; of equal names the last wins.
  static Labels From(const std::vector<std::pair<std::string, std::string>>& pairs);
  static Labels FromPacked(std::string packed) {
    Labels labels;
    labels.packed_ = std::move(packed);
    return labels;
  }

  operator LabelsView() const { return LabelsView(packed_); }  // NOLINT: a view of its own kind
  LabelsView view() const { return LabelsView(packed_); }
  auto begin() const { return view().begin(); }
  auto end() const { return view().end(); }
  bool empty() const { return packed_.empty(); }
  size_t size() const { return view().size(); }
  std::string_view Get(std::string_view name) const { return view().Get(name); }
  bool Has(std::string_view name) const { return view().Has(name); }
  uint64_t Hash() const { return view().Hash(); }
  std::string ToString() const { return view().ToString(); }
  const std::string& packed() const { return packed_; }
  size_t memory_bytes() const { return packed_.capacity(); }

  bool operator==(const Labels& other) const { return packed_ == other.packed_; }
  bool operator<(const Labels& other) const { return CompareLabels(*this, other) < 0; }

 private:
  std::string packed_;
};

// Appends one packed pair. REQUIRES: called in name order; each string shorter than 16 MiB.
void PackLabel(std::string& packed, std::string_view name, std::string_view value);

// Changes to a base label set. Reusable: Reset keeps its buffers. One thread at a time.
class LabelsBuilder {
 public:
  explicit LabelsBuilder(LabelsView base = LabelsView()) { Reset(base); }
  // Borrows `base` until the next Reset; names and values given to Set and Del are copied.
  void Reset(LabelsView base);
  LabelsBuilder& Set(std::string_view name, std::string_view value);  // an empty value deletes
  LabelsBuilder& Del(std::string_view name);
  // Deletes all others, those given to Set before as well.
  LabelsBuilder& Keep(std::span<const std::string> names);
  std::string_view Get(std::string_view name) const;
  // A copy of what Build() would contain: the labels of the base that are unchanged, then those set.
  std::vector<std::pair<std::string, std::string>> Pairs() const;
  Labels Build() const;

 private:
  struct Slice {
    uint32_t offset = 0, bytes = 0;  // in arena_; no bytes = deleted
  };
  struct Change {
    Slice name, value;
  };
  std::string_view View(Slice slice) const { return std::string_view(arena_).substr(slice.offset, slice.bytes); }
  Slice Store(std::string_view s);
  bool Owns(std::string_view s) const {
    return !s.empty() && s.data() >= arena_.data() && s.data() < arena_.data() + arena_.size();
  }
  // The change of `name`, made (as a deletion) when there is none.
  Change& Touch(std::string_view name);
  const Change* Find(std::string_view name) const;

  LabelsView base_;
  std::vector<Change> changes_;  // by name
  std::string arena_;            // the names and values of the changes
};

// [a-zA-Z_][a-zA-Z0-9_]* and, for metrics, ':' as well.
bool IsLegacyLabelName(std::string_view name);
bool IsLegacyMetricName(std::string_view name);
// Non-empty valid UTF-8: what 3.x accepts for both.
bool IsValidUtf8(std::string_view bytes);

// Go's strconv.Quote.
std::string GoQuote(std::string_view s);

}  // namespace gauntlet

template <>
struct std::hash<gauntlet::Labels> {
  size_t operator()(const gauntlet::Labels& labels) const { return labels.Hash(); }
};
