// ObjectWindow: an object read from front to back in large ranges, while its reader asks for small ones.
//
// A window of bytes is held; the one behind it is fetched meanwhile, if there is an executor. Whoever still looks at
// bytes of a window that was left keeps it alive.
//
// Upstream: none
// Threads:  one thread at a time.           Owns: its windows, shared with the owners that View() gave.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "objstore/bucket.h"

namespace gauntlet::blockstream {

class ObjectWindow {
 public:
  // Keeps viewed bytes alive.
  using Owner = std::shared_ptr<const void>;

  // Reads up to `end` of the object. `ahead` (may be null) fetches the next window; it may be busy with the caller's
  // like: what it has not begun is fetched by the caller. `budget` may be null.
  ObjectWindow(objstore::Bucket& bucket, std::string object, uint64_t end, size_t window_bytes, Executor* ahead,
               MemoryBudget* budget);
  ~ObjectWindow();
  ObjectWindow(const ObjectWindow&) = delete;
  ObjectWindow& operator=(const ObjectWindow&) = delete;

  // All bytes at hand from `offset` on, at least `n` of them, or fewer at the end. They live until the next call, and
  // as long as anybody holds owner().
  Result<std::string_view> View(uint64_t offset, size_t n, const Cancel& cancel);
  // Of what View() gave last.
  const Owner& owner() const { return owner_; }
  uint64_t end() const { return end_; }
  const std::string& object() const { return object_; }

 private:
  struct Window;
  struct Fetch;

  // Makes the window at `offset` the current one.
  Status Load(uint64_t offset, const Cancel& cancel);
  // The bytes of the object from the window's begin.
  Status Read(Window* window, const Cancel& cancel) const;
  Result<std::shared_ptr<Window>> NewWindow();
  void FetchAhead(const Cancel& cancel);
  void DropFetch();

  objstore::Bucket& bucket_;
  const std::string object_;
  const uint64_t end_;
  const size_t window_bytes_;
  Executor* const ahead_;
  MemoryBudget* const budget_;
  std::shared_ptr<Window> current_;
  Owner owner_;
  std::vector<std::shared_ptr<Window>> windows_;  // all, to be used again when nobody else holds them
  std::shared_ptr<Fetch> fetch_;
};

}  // namespace gauntlet::blockstream
