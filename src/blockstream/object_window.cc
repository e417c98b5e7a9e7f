#include "blockstream/object_window.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/mutex.h"

namespace gauntlet::blockstream {

struct ObjectWindow::Window {
  Window(size_t capacity, MemoryBudget* budget)
      : bytes(std::make_unique_for_overwrite<char[]>(capacity)), charge(budget, "reading blocks of a bucket") {}

  std::unique_ptr<char[]> bytes;
  uint64_t begin = 0;
  size_t size = 0;
  MemoryCharge charge;

  uint64_t end() const { return begin + size; }
  bool Holds(uint64_t offset) const { return offset >= begin && offset < end(); }
};

// A window on its way. Whoever takes it first, the executor or the reader that cannot wait, reads it.
struct ObjectWindow::Fetch {
  std::atomic<bool> taken{false};
  std::shared_ptr<Window> window;
  CancelSource stop;
  Mutex mutex;
  CondVar done_cond;
  bool done GN_GUARDED_BY(mutex) = false;
  Status status GN_GUARDED_BY(mutex);

  explicit Fetch(const Cancel& cancel) : stop(cancel) {}
  void Finish(Status result) {
    MutexLock lock(mutex);
    status = std::move(result);
    done = true;
    done_cond.NotifyAll();
  }
  Status Wait() {
    MutexLock lock(mutex);
    while (!done) done_cond.Wait(mutex);
    return status;
  }
};

ObjectWindow::ObjectWindow(objstore::Bucket& bucket, std::string object, uint64_t end, size_t window_bytes,
                           Executor* ahead, MemoryBudget* budget)
    : bucket_(bucket),
      object_(std::move(object)),
      end_(end),
      window_bytes_(static_cast<size_t>(std::max<uint64_t>(1, std::min<uint64_t>(window_bytes, end)))),
      ahead_(ahead),
      budget_(budget) {}

ObjectWindow::~ObjectWindow() { DropFetch(); }

void ObjectWindow::DropFetch() {
  if (fetch_ == nullptr) return;
  // One that has begun borrows the bucket.
  if (fetch_->taken.exchange(true)) {
    fetch_->stop.Stop();
    (void)fetch_->Wait().ok();
  }
  fetch_.reset();
}

Result<std::shared_ptr<ObjectWindow::Window>> ObjectWindow::NewWindow() {
  for (const auto& window : windows_) {
    if (window.use_count() == 1) return window;
  }
  auto window = std::make_shared<Window>(window_bytes_, budget_);
  GN_TRY(window->charge.Grow(window_bytes_));
  windows_.push_back(window);
  return window;
}

Status ObjectWindow::Read(Window* window, const Cancel& cancel) const {
  window->size = 0;
  size_t wanted = static_cast<size_t>(std::min<uint64_t>(window_bytes_, end_ - window->begin));
  auto got = bucket_.ReadInto(object_, window->begin, wanted, window->bytes.get(), cancel);
  if (!got.ok()) return got.status().Wrap("read " + object_);
  window->size = *got;
  return Status();
}

Status ObjectWindow::Load(uint64_t offset, const Cancel& cancel) {
  current_.reset();
  owner_.reset();
  if (fetch_ != nullptr && fetch_->window->begin == offset) {
    std::shared_ptr<Fetch> fetch = std::exchange(fetch_, nullptr);
    if (fetch->taken.exchange(true)) {
      GN_TRY(fetch->Wait());
    } else {
      GN_TRY(Read(fetch->window.get(), cancel));
    }
    current_ = fetch->window;
  } else {
    DropFetch();
    GN_ASSIGN(current_, NewWindow());
    current_->begin = offset;
    GN_TRY(Read(current_.get(), cancel));
  }
  FetchAhead(cancel);
  return Status();
}

void ObjectWindow::FetchAhead(const Cancel& cancel) {
  uint64_t next = current_->end();
  if (ahead_ == nullptr || next >= end_ || current_->size < window_bytes_) return;
  auto window = NewWindow();
  if (!window.ok()) return;  // no memory to read ahead: the reader will ask again when it needs it
  fetch_ = std::make_shared<Fetch>(cancel);
  fetch_->window = *std::move(window);
  fetch_->window->begin = next;
  ahead_->Run([this, fetch = fetch_] {
    if (fetch->taken.exchange(true)) return;  // `this` may be gone
    fetch->Finish(Read(fetch->window.get(), fetch->stop.cancel()));
  });
}

Result<std::string_view> ObjectWindow::View(uint64_t offset, size_t n, const Cancel& cancel) {
  if (offset >= end_) return std::string_view();
  n = static_cast<size_t>(std::min<uint64_t>(n, end_ - offset));
  if (current_ == nullptr || !current_->Holds(offset)) GN_TRY(Load(offset, cancel));
  size_t at = static_cast<size_t>(offset - current_->begin);
  if (at >= current_->size) return std::string_view();
  if (current_->size - at >= n) {
    if (owner_ != current_) owner_ = current_;
    return std::string_view(current_->bytes.get() + at, current_->size - at);
  }
  // Over the border of windows.
  auto joined = std::make_shared<std::string>(current_->bytes.get() + at, current_->size - at);
  while (joined->size() < n) {
    GN_TRY(Load(offset + joined->size(), cancel));
    if (current_->size == 0) break;  // the object ends before
    joined->append(current_->bytes.get(), std::min(current_->size, n - joined->size()));
  }
  owner_ = joined;
  return std::string_view(*joined);
}

}  // namespace gauntlet::blockstream
