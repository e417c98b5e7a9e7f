#include "net/grpc/pipe.h"

#include <algorithm>

#include "base/check.h"
#include "net/grpc/http2_connection.h"

namespace gauntlet::net {
namespace {

constexpr size_t kJoinBytes = 16 << 10;  // small messages share buffers of this size

// Returns false when `until` passed.
bool WaitFor(CondVar& cond, Mutex& mutex, std::optional<GrpcPipe::TimePoint> until) GN_REQUIRES(mutex) {
  if (until) return cond.WaitUntil(mutex, *until) || std::chrono::steady_clock::now() < *until;
  cond.Wait(mutex);
  return true;
}

}  // namespace

void GrpcPipe::NotifyLocked() {
  if (notified_ || !mailbox_) return;
  notified_ = true;
  mailbox_->Notify(stream_);
}

// ---- Threads of the call --------------------------------------------------------------------------------------------

Result<GrpcPipe::ReadOutcome> GrpcPipe::Read(GrpcFrame* frame, std::optional<TimePoint> until) {
  MutexLock lock(mutex_);
  bool in_time = true;
  while (true) {
    if (!broken_.ok()) return broken_;
    if (!input_.empty()) break;
    if (input_ended_) {
      end_seen_ = true;
      if (!input_status_.ok()) return input_status_;
      return ReadOutcome::kEnd;
    }
    if (!in_time) return ReadOutcome::kTimeout;
    reader_waits_ = true;
    if (partial_held_) NotifyLocked();
    in_time = WaitFor(input_changed_, mutex_, until);
    reader_waits_ = false;
  }
  *frame = std::move(input_.front().frame);
  consumed_ += input_.front().credit;
  input_.pop_front();
  // Credits are worth a wake-up only in lots: nghttp2 tells the peer at half a window.
  if (consumed_ >= limits_.window_bytes / 4) NotifyLocked();
  return ReadOutcome::kMessage;
}

Result<bool> GrpcPipe::Write(std::string framed, std::optional<TimePoint> until) {
  MutexLock lock(mutex_);
  bool in_time = true;
  while (true) {
    if (!broken_.ok()) return broken_;
    if (ended_) return Status(Code::kUnavailable, "the call has ended");
    GN_CHECK(!output_closed_);
    if (output_bytes_ == 0 || output_bytes_ + framed.size() <= limits_.output_bytes_max) break;
    if (!in_time) return false;
    in_time = WaitFor(output_changed_, mutex_, until);
  }
  output_bytes_ += framed.size();
  if (!output_.empty() && output_.back()->size() + framed.size() <= kJoinBytes) {
    output_.back()->append(framed);
  } else {
    if (framed.size() < kJoinBytes / 2 && !output_.empty()) framed.reserve(kJoinBytes);
    output_.push_back(std::make_shared<std::string>(std::move(framed)));
  }
  if (loop_wants_output_) NotifyLocked();
  return true;
}

void GrpcPipe::CloseOutput() {
  MutexLock lock(mutex_);
  if (std::exchange(output_closed_, true)) return;
  if (loop_wants_output_) NotifyLocked();
}

bool GrpcPipe::Ready() const {
  MutexLock lock(mutex_);
  return !broken_.ok() || !input_.empty() || input_ended_;
}

bool GrpcPipe::WaitEnd(std::optional<TimePoint> until) {
  MutexLock lock(mutex_);
  while (broken_.ok() && !input_ended_) {
    if (!WaitFor(input_changed_, mutex_, until)) return false;
  }
  return true;
}

void GrpcPipe::Break(const Status& why) {
  std::deque<Received> dropped;
  MutexLock lock(mutex_);
  if (!broken_.ok() || end_seen_) return;
  broken_ = why;
  dropped.swap(input_);
  for (const Received& received : dropped) consumed_ += received.credit;
  input_changed_.NotifyAll();
  output_changed_.NotifyAll();
  NotifyLocked();
}

Status GrpcPipe::broken() const {
  MutexLock lock(mutex_);
  return broken_;
}

bool GrpcPipe::Ended() const {
  MutexLock lock(mutex_);
  return !broken_.ok() || end_seen_;
}

// ---- The loop -------------------------------------------------------------------------------------------------------

void GrpcPipe::Attach(std::shared_ptr<Http2Mailbox> mailbox, int32_t stream) {
  MutexLock lock(mutex_);
  mailbox_ = std::move(mailbox);
  stream_ = stream;
  notified_ = false;
}

GrpcPipe::News GrpcPipe::TakeNews() {
  MutexLock lock(mutex_);
  notified_ = false;
  News news;
  news.consumed = std::exchange(consumed_, 0);
  if (reader_waits_ || !broken_.ok()) {
    news.consumed += std::exchange(partial_bytes_, 0);
    partial_held_ = false;
  }
  news.output = !output_.empty() || output_closed_;
  news.broken = !broken_.ok();
  return news;
}

Result<size_t> GrpcPipe::Receive(std::string_view bytes) {
  if (input_failed_ || !reader_) return bytes.size();
  Status status = reader_->Feed(bytes, &completed_);
  partial_bytes_ += bytes.size();
  MutexLock lock(mutex_);
  bool dropped = !broken_.ok() || input_ended_;
  // All bytes belong to the messages that end here, but for those of the last, unfinished one.
  for (GrpcFrame& frame : completed_) {
    size_t credit = std::min(partial_bytes_, frame.payload.size() + kGrpcPrefixBytes);
    partial_bytes_ -= credit;
    if (dropped) {
      consumed_ += credit;
    } else {
      input_.push_back({std::move(frame), credit});
    }
  }
  if (!completed_.empty()) input_changed_.NotifyAll();
  completed_.clear();
  if (!status.ok()) {
    input_failed_ = true;
    return status;
  }
  size_t credit = 0;
  if (dropped) credit = std::exchange(consumed_, 0);
  if (dropped || (reader_waits_ && input_.empty())) credit += std::exchange(partial_bytes_, 0);
  partial_held_ = partial_bytes_ > 0;
  return credit;
}

void GrpcPipe::EndInput(const Status& status) {
  MutexLock lock(mutex_);
  if (input_ended_) return;
  input_ended_ = true;
  input_status_ = status;
  input_changed_.NotifyAll();
}

void GrpcPipe::End(const Status& status) {
  EndInput(status);
  MutexLock lock(mutex_);
  ended_ = true;
  output_changed_.NotifyAll();
}

void GrpcPipe::PullOutput(bool* closed) {
  MutexLock lock(mutex_);
  for (auto& buffer : output_) {
    sending_bytes_ += buffer->size();
    sending_.push_back(std::move(buffer));
  }
  output_.clear();
  *closed = output_closed_;
  loop_wants_output_ = sending_bytes_ == 0;
}

size_t GrpcPipe::AskOutput(size_t max, bool* end) {
  if (sending_bytes_ <= max && !sending_closed_) PullOutput(&sending_closed_);
  size_t bytes = std::min(max, sending_bytes_);
  *end = sending_closed_ && bytes == sending_bytes_;
  return bytes;
}

void GrpcPipe::TakeOutput(size_t bytes, const std::function<void(Http2Slice)>& sink) {
  GN_CHECK(bytes <= sending_bytes_);
  sending_bytes_ -= bytes;
  for (size_t left = bytes; left > 0;) {
    const auto& buffer = sending_.front();
    size_t take = std::min(left, buffer->size() - sending_offset_);
    sink({buffer, sending_offset_, take});
    left -= take;
    sending_offset_ += take;
    if (sending_offset_ < buffer->size()) break;
    if (keeps_sent_ && sent_bytes_ + buffer->size() <= limits_.replay_bytes_max) {
      sent_bytes_ += buffer->size();
      sent_.push_back(buffer);
    } else {
      keeps_sent_ = false;
      sent_.clear();
    }
    sending_.pop_front();
    sending_offset_ = 0;
  }
  MutexLock lock(mutex_);
  output_bytes_ -= bytes;
  if (output_bytes_ <= limits_.output_bytes_max / 2) output_changed_.NotifyAll();
}

bool GrpcPipe::has_output() {
  if (sending_bytes_ > 0 || sending_closed_) return true;
  MutexLock lock(mutex_);
  return !output_.empty() || output_closed_;
}

bool GrpcPipe::Rewind() {
  if (!keeps_sent_) return false;
  // The part of the front buffer that was sent is still there.
  size_t again = sent_bytes_ + sending_offset_;
  sending_.insert(sending_.begin(), sent_.begin(), sent_.end());
  sending_offset_ = 0;
  sending_bytes_ += again;
  sent_.clear();
  sent_bytes_ = 0;
  MutexLock lock(mutex_);
  output_bytes_ += again;
  loop_wants_output_ = true;
  return true;
}

void GrpcPipe::ForgetSent() {
  keeps_sent_ = false;
  sent_.clear();
}

}  // namespace gauntlet::net
