#include "blockstream/segment_upload.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "blockstream/segment_check.h"
#include "io/direct_file.h"

namespace gauntlet::blockstream {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

}  // namespace

// What is between writer and upload: pieces, filled by the one and taken whole by the other, used in turn. Thread-safe.
class SegmentUpload::Pipe : public objstore::Source {
 public:
  Pipe(size_t buffer_bytes, const Cancel& cancel)
      : pieces_left_(std::max<size_t>(2, buffer_bytes / kPieceBytes)),
        stop_(cancel),
        on_stop_(stop_.cancel().OnStop([this] { Wake(); })) {}

  const Cancel& cancel() const { return stop_.cancel(); }
  void Stop() { stop_.Stop(); }

  // By one thread, as Close().
  Status Push(std::string_view bytes) {
    while (!bytes.empty()) {
      if (filling_.bytes == nullptr) GN_TRY(TakeFree());
      size_t n = std::min(bytes.size(), kPieceBytes - filling_.size);
      std::memcpy(filling_.bytes.get() + filling_.size, bytes.data(), n);
      filling_.size += n;
      bytes.remove_prefix(n);
      if (filling_.size == kPieceBytes) HandOver();
    }
    return Status();
  }
  // No more comes; waits for the upload's end.
  Status Close() {
    if (filling_.size > 0) HandOver();
    MutexLock lock(mutex_);
    closed_ = true;
    cond_.NotifyAll();
    while (!finished_) Wait();
    return result_;
  }
  void Finish(Status result) {
    MutexLock lock(mutex_);
    result_ = std::move(result);
    finished_ = true;
    cond_.NotifyAll();
  }
  // Keeps an upload that has not begun from beginning; false when it has.
  bool Forbid() {
    MutexLock lock(mutex_);
    if (begun_) return false;
    begun_ = finished_ = true;
    return true;
  }
  // Of an upload that has finished.
  uint64_t chunks() const { return check_.chunks(); }
  bool Begin() {
    MutexLock lock(mutex_);
    return !std::exchange(begun_, true);
  }

  Result<size_t> Read(char* out, size_t n) override {
    if (rest_.empty()) GN_TRY(Refill());
    n = rest_.copy(out, n);
    rest_.remove_prefix(n);
    return n;
  }
  Result<std::string_view> Next(char* /*buffer*/, size_t /*n*/) override {
    if (rest_.empty()) GN_TRY(Refill());
    return std::exchange(rest_, {});
  }

 private:
  struct Piece {
    io::AlignedBytes bytes;
    size_t size = 0;
  };

  // An empty piece to fill, as soon as there is one.
  Status TakeFree() {
    MutexLock lock(mutex_);
    while (!finished_ && !stop_.cancel().stopped() && free_.empty() && pieces_left_ == 0) Wait();
    if (finished_) return result_.ok() ? Status(Code::kInternal, "the upload ended before its source") : result_;
    GN_TRY(stop_.cancel().status());
    if (free_.empty()) {
      --pieces_left_;
      filling_ = {io::MakeAligned(kPieceBytes), 0};
      return Status();
    }
    filling_ = {std::move(free_.back()), 0};
    free_.pop_back();
    return Status();
  }
  void HandOver() {
    MutexLock lock(mutex_);
    full_.push_back(std::exchange(filling_, {}));
    cond_.NotifyAll();
  }
  // The next piece, checked: rest_ is empty when there is none.
  Status Refill() {
    GN_TRY(TakeFull());
    std::string_view piece(reading_.bytes.get(), reading_.size);
    Status checked = piece.empty() ? check_.Finish() : check_.Append(piece);
    if (!checked.ok())
      return Status(Code::kInternal, std::string(checked.message())).Wrap("bytes changed on their way");
    rest_ = piece;
    return Status();
  }
  // Gives back the piece that was read, and waits for the next one; without one, reading_ is empty.
  Status TakeFull() {
    MutexLock lock(mutex_);
    if (reading_.bytes != nullptr) {
      free_.push_back(std::move(reading_.bytes));
      reading_.size = 0;
      cond_.NotifyAll();
    }
    while (full_.empty() && !closed_ && !stop_.cancel().stopped()) Wait();
    GN_TRY(stop_.cancel().status());
    if (full_.empty()) return Status();
    reading_ = std::move(full_.front());
    full_.pop_front();
    return Status();
  }
  void Wake() {
    MutexLock lock(mutex_);
    cond_.NotifyAll();
  }
  void Wait() GN_REQUIRES(mutex_) {
    // A deadline tells nobody when it passes.
    if (auto deadline = stop_.cancel().deadline(); deadline && !stop_.cancel().stopped()) {
      cond_.WaitUntil(mutex_, *deadline);
    } else {
      cond_.Wait(mutex_);
    }
  }

  Piece filling_;          // the writer's
  Piece reading_;          // the upload's
  std::string_view rest_;  // of it
  SegmentCheck check_;     // the upload's, until it has finished
  Mutex mutex_;
  CondVar cond_;
  size_t pieces_left_ GN_GUARDED_BY(mutex_);  // that may yet be made
  std::deque<Piece> full_ GN_GUARDED_BY(mutex_);
  std::vector<io::AlignedBytes> free_ GN_GUARDED_BY(mutex_);
  bool closed_ GN_GUARDED_BY(mutex_) = false, begun_ GN_GUARDED_BY(mutex_) = false;
  bool finished_ GN_GUARDED_BY(mutex_) = false;
  Status result_ GN_GUARDED_BY(mutex_);
  CancelSource stop_;
  Cancel::Registration on_stop_;  // last: it may call at once
};

SegmentUpload::SegmentUpload(objstore::Bucket& bucket, std::string object, Executor& executor, size_t buffer_bytes,
                             const Cancel& cancel)
    : pipe_(std::make_shared<Pipe>(buffer_bytes, cancel)) {
  executor.Run([&bucket, object = std::move(object), pipe = pipe_] {
    if (!pipe->Begin()) return;
    pipe->Finish(bucket.Upload(object, *pipe, {}, pipe->cancel()).Wrap("upload " + object));
  });
}

SegmentUpload::~SegmentUpload() {
  if (synced_ || pipe_->Forbid()) return;
  pipe_->Stop();
  (void)pipe_->Close().ok();
}

Status SegmentUpload::Append(std::string_view bytes) {
  bytes_ += bytes.size();
  return bytes.empty() ? Status() : pipe_->Push(bytes);
}

uint64_t SegmentUpload::chunks() const { return pipe_->chunks(); }

Status SegmentUpload::Sync() {
  synced_ = true;
  return pipe_->Close();
}

}  // namespace gauntlet::blockstream
