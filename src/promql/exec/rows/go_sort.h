// GoSort: sorts as Go's sort.Sort does, step for step: where elements are equal (or the comparison is no order, as with
// NaN), what comes out depends on the steps.
//
// A pattern-defeating quicksort: insertion sort for few elements, pivots by medians of medians, sorted runs noticed,
// heap sort when pivots stay bad, and a generator seeded by the length to break patterns.
//
// Upstream: Go sort (zsortinterface.go)
// Threads:  a function.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gauntlet::promql {

template <typename T, typename Less>
class GoSorter {
 public:
  GoSorter(std::vector<T>* items, Less less) : items_(*items), less_(std::move(less)) {}
  void Sort() {
    const auto n = static_cast<int64_t>(items_.size());
    if (n > 1) Quick(0, n, std::bit_width(static_cast<uint64_t>(n)));
  }

 private:
  using Index = int64_t;
  enum class Hint { kUnknown, kIncreasing, kDecreasing };

  bool IsLess(Index i, Index j) { return less_(items_[static_cast<size_t>(i)], items_[static_cast<size_t>(j)]); }
  void Swap(Index i, Index j) { std::swap(items_[static_cast<size_t>(i)], items_[static_cast<size_t>(j)]); }

  void Quick(Index a, Index b, int limit) {
    bool balanced = true, partitioned = true;
    while (true) {
      const Index length = b - a;
      if (length <= 12) return Insertion(a, b);
      if (limit == 0) return Heap(a, b);
      if (!balanced) {
        BreakPatterns(a, b);
        --limit;
      }
      auto [pivot, hint] = ChoosePivot(a, b);
      if (hint == Hint::kDecreasing) {
        for (Index i = a, j = b - 1; i < j; ++i, --j) Swap(i, j);
        pivot = (b - 1) - (pivot - a);
        hint = Hint::kIncreasing;
      }
      if (balanced && partitioned && hint == Hint::kIncreasing && PartialInsertion(a, b)) return;
      if (a > 0 && !IsLess(a - 1, pivot)) {
        a = PartitionEqual(a, b, pivot);
        continue;
      }
      const Index middle = Partition(a, b, pivot, &partitioned);
      const Index left = middle - a, right = b - middle, threshold = length / 8;
      if (left < right) {
        balanced = left >= threshold;
        Quick(a, middle, limit);
        a = middle + 1;
      } else {
        balanced = right >= threshold;
        Quick(middle + 1, b, limit);
        b = middle;
      }
    }
  }

  void Insertion(Index a, Index b) {
    for (Index i = a + 1; i < b; ++i) {
      for (Index j = i; j > a && IsLess(j, j - 1); --j) Swap(j, j - 1);
    }
  }

  void SiftDown(Index root, Index end, Index first) {
    while (true) {
      Index child = 2 * root + 1;
      if (child >= end) return;
      if (child + 1 < end && IsLess(first + child, first + child + 1)) ++child;
      if (!IsLess(first + root, first + child)) return;
      Swap(first + root, first + child);
      root = child;
    }
  }

  void Heap(Index a, Index b) {
    const Index n = b - a;
    for (Index i = (n - 1) / 2; i >= 0; --i) SiftDown(i, n, a);
    for (Index i = n - 1; i >= 0; --i) {
      Swap(a, a + i);
      SiftDown(0, i, a);
    }
  }

  void BreakPatterns(Index a, Index b) {
    const Index length = b - a;
    if (length < 8) return;
    auto random = static_cast<uint64_t>(length);
    const uint64_t mask = (uint64_t{1} << std::bit_width(random)) - 1;
    const Index at = a + length / 4 * 2 - 1;
    for (Index i = 0; i < 3; ++i) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      auto other = static_cast<Index>(random & mask);
      if (other >= length) other -= length;
      Swap(at + i, a + other);
    }
  }

  Index Median(Index a, Index b, Index c, int* swaps) {
    auto order = [&](Index& x, Index& y) {
      if (!IsLess(y, x)) return;
      ++*swaps;
      std::swap(x, y);
    };
    order(a, b);
    order(b, c);
    order(a, b);
    return b;
  }

  std::pair<Index, Hint> ChoosePivot(Index a, Index b) {
    const Index length = b - a;
    int swaps = 0;
    Index i = a + length / 4, j = a + length / 4 * 2, k = a + length / 4 * 3;
    if (length >= 8) {
      if (length >= 50) {
        i = Median(i - 1, i, i + 1, &swaps);
        j = Median(j - 1, j, j + 1, &swaps);
        k = Median(k - 1, k, k + 1, &swaps);
      }
      j = Median(i, j, k, &swaps);
    }
    return {j, swaps == 0 ? Hint::kIncreasing : swaps == 12 ? Hint::kDecreasing : Hint::kUnknown};
  }

  // True when that was enough to sort.
  bool PartialInsertion(Index a, Index b) {
    Index i = a + 1;
    for (int step = 0; step < 5; ++step) {
      while (i < b && !IsLess(i, i - 1)) ++i;
      if (i == b) return true;
      if (b - a < 50) return false;
      Swap(i, i - 1);
      if (i - a >= 2) {
        for (Index j = i - 1; j >= 1 && IsLess(j, j - 1); --j) Swap(j, j - 1);
      }
      if (b - i >= 2) {
        for (Index j = i + 1; j < b && IsLess(j, j - 1); ++j) Swap(j, j - 1);
      }
    }
    return false;
  }

  // The first position beyond those that equal the pivot, none being less.
  Index PartitionEqual(Index a, Index b, Index pivot) {
    Swap(a, pivot);
    Index i = a + 1, j = b - 1;
    while (true) {
      while (i <= j && !IsLess(a, i)) ++i;
      while (i <= j && IsLess(a, j)) --j;
      if (i > j) return i;
      Swap(i++, j--);
    }
  }

  Index Partition(Index a, Index b, Index pivot, bool* already) {
    Swap(a, pivot);
    Index i = a + 1, j = b - 1;
    auto skip = [&] {
      while (i <= j && IsLess(i, a)) ++i;
      while (i <= j && !IsLess(j, a)) --j;
      return i <= j;
    };
    *already = !skip();
    if (!*already) {
      do Swap(i++, j--);
      while (skip());
    }
    Swap(j, a);
    return j;
  }

  std::vector<T>& items_;
  Less less_;
};

template <typename T, typename Less>
void GoSort(std::vector<T>* items, Less less) {
  GoSorter<T, Less>(items, std::move(less)).Sort();
}

}  // namespace gauntlet::promql
