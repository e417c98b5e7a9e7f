#include "compactor/segment_upload.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

#include "base/mutex.h"

namespace gauntlet::compactor {

// What is between writer and upload. Thread-safe.
class SegmentUpload::Pipe : public objstore::Source {
 public:
  Pipe(size_t buffer_bytes, const Cancel& cancel)
      : buffer_bytes_(buffer_bytes), stop_(cancel), on_stop_(stop_.cancel().OnStop([this] { Wake(); })) {}

  const Cancel& cancel() const { return stop_.cancel(); }
  void Stop() { stop_.Stop(); }

  Status Push(std::string_view bytes) {
    MutexLock lock(mutex_);
    while (!finished_ && !stop_.cancel().stopped() && waiting_ > 0 && waiting_ + bytes.size() > buffer_bytes_) Wait();
    if (finished_) return result_.ok() ? Status(Code::kInternal, "the upload ended before its source") : result_;
    GN_TRY(stop_.cancel().status());
    pieces_.emplace_back(bytes);
    waiting_ += bytes.size();
    cond_.NotifyAll();
    return Status();
  }
  // No more comes; waits for the upload's end.
  Status Close() {
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
  bool Begin() {
    MutexLock lock(mutex_);
    return !std::exchange(begun_, true);
  }

  Result<size_t> Read(char* out, size_t n) override {
    MutexLock lock(mutex_);
    while (pieces_.empty() && !closed_ && !stop_.cancel().stopped()) Wait();
    GN_TRY(stop_.cancel().status());
    size_t got = 0;
    while (got < n && !pieces_.empty()) {
      const std::string& piece = pieces_.front();
      size_t part = std::min(n - got, piece.size() - taken_);
      std::memcpy(out + got, piece.data() + taken_, part);
      got += part;
      taken_ += part;
      if (taken_ < piece.size()) continue;
      waiting_ -= piece.size();
      taken_ = 0;
      pieces_.pop_front();
    }
    cond_.NotifyAll();
    return got;
  }

 private:
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

  const size_t buffer_bytes_;
  CancelSource stop_;
  Mutex mutex_;
  CondVar cond_;
  std::deque<std::string> pieces_ GN_GUARDED_BY(mutex_);
  size_t waiting_ GN_GUARDED_BY(mutex_) = 0;  // bytes of the pieces
  size_t taken_ GN_GUARDED_BY(mutex_) = 0;    // of the first one
  bool closed_ GN_GUARDED_BY(mutex_) = false, begun_ GN_GUARDED_BY(mutex_) = false;
  bool finished_ GN_GUARDED_BY(mutex_) = false;
  Status result_ GN_GUARDED_BY(mutex_);
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

Status SegmentUpload::Sync() {
  synced_ = true;
  return pipe_->Close();
}

}  // namespace gauntlet::compactor
