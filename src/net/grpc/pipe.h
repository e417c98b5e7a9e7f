// GrpcPipe: one call's messages on their way between the call's threads and the event loop, in both directions.
//
// Each direction is bounded. What comes in is credited to the peer's window only when it is read (or while a reader
// waits for the rest of a message, so that one message may be larger than the window). Write waits while more than
// `output_bytes_max` lie here unsent.
// Threads: thread-safe; one reader and one writer thread, and the loop.

#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "net/grpc/frame.h"
#include "net/grpc/http2_session.h"

namespace gauntlet::net {

class Http2Mailbox;

class GrpcPipe {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class ReadOutcome : uint8_t { kMessage, kEnd, kTimeout };

  struct Limits {
    size_t window_bytes = 1 << 20;
    size_t output_bytes_max = 256 << 10;
    size_t replay_bytes_max = 0;  // sent bytes kept for Rewind
  };
  explicit GrpcPipe(const Limits& limits) : limits_(limits) {}

  // ---- Threads of the call.
  Result<ReadOutcome> Read(GrpcFrame* frame, std::optional<TimePoint> until);
  // False when `until` passed first. `framed`: with its length prefix.
  Result<bool> Write(std::string framed, std::optional<TimePoint> until);
  // No more will be written.
  void CloseOutput();
  bool Ready() const;
  // Waits until there is nothing more to come. False when `until` passed first.
  bool WaitEnd(std::optional<TimePoint> until);

  // ---- Any thread.
  // Reads and writes fail with `why` from now on; messages not read are dropped. The first call wins, and none counts
  // once the reader has seen the end.
  void Break(const Status& why);
  Status broken() const;
  // Nothing can change any more: the end has been read, or Break was called.
  bool Ended() const;

  // ---- The loop.
  // Whom to notify of news. Null = nobody (a call that has no stream yet, or no more).
  void Attach(std::shared_ptr<Http2Mailbox> mailbox, int32_t stream);
  void Detach() { Attach(nullptr, 0); }
  // What the threads did since the last time.
  struct News {
    size_t consumed = 0;
    bool output = false;  // bytes or the end of the output wait
    bool broken = false;
  };
  News TakeNews();
  void SetReader(GrpcFrameReader reader) { reader_.emplace(std::move(reader)); }
  // Returns how many bytes to credit to the peer at once. After an error (which the caller then gives to
  // EndInput), the rest of the stream is dropped.
  Result<size_t> Receive(std::string_view bytes);
  bool mid_message() const { return reader_ && reader_->mid_message(); }
  // After what has come, Read ends: with false if `status` is ok.
  void EndInput(const Status& status);
  // The same, and what is written from now on fails.
  void End(const Status& status);
  // Bytes that can be sent now, at most `max`; `end` when the output ends after them. None and no end: a notification
  // will follow.
  size_t AskOutput(size_t max, bool* end);
  // The next `bytes`, which AskOutput has promised.
  void TakeOutput(size_t bytes, const std::function<void(Http2Slice)>& sink);
  bool has_output();
  // Puts everything sent back in front, to be sent on another stream; false if that is no longer possible.
  bool Rewind();
  // The peer has begun to answer: nothing will be sent again.
  void ForgetSent();

 private:
  void NotifyLocked() GN_REQUIRES(mutex_);
  // Takes what the writer has added over to the loop's side.
  void PullOutput(bool* closed);

  const Limits limits_;
  mutable Mutex mutex_;
  CondVar input_changed_, output_changed_;

  std::shared_ptr<Http2Mailbox> mailbox_ GN_GUARDED_BY(mutex_);
  int32_t stream_ GN_GUARDED_BY(mutex_) = 0;
  bool notified_ GN_GUARDED_BY(mutex_) = false;  // and not looked at yet

  struct Received {
    GrpcFrame frame;
    size_t credit = 0;  // bytes of it that the peer was not credited with
  };
  std::deque<Received> input_ GN_GUARDED_BY(mutex_);
  bool input_ended_ GN_GUARDED_BY(mutex_) = false;
  Status input_status_ GN_GUARDED_BY(mutex_);
  bool end_seen_ GN_GUARDED_BY(mutex_) = false;
  Status broken_ GN_GUARDED_BY(mutex_);
  bool reader_waits_ GN_GUARDED_BY(mutex_) = false;
  bool partial_held_ GN_GUARDED_BY(mutex_) = false;  // part of a message is here, uncredited
  size_t consumed_ GN_GUARDED_BY(mutex_) = 0;        // read, to be credited

  std::deque<std::shared_ptr<std::string>> output_ GN_GUARDED_BY(mutex_);
  size_t output_bytes_ GN_GUARDED_BY(mutex_) = 0;  // unsent, those on the loop's side included
  bool output_closed_ GN_GUARDED_BY(mutex_) = false;
  bool ended_ GN_GUARDED_BY(mutex_) = false;
  bool loop_wants_output_ GN_GUARDED_BY(mutex_) = true;

  // The loop's side.
  std::optional<GrpcFrameReader> reader_;
  std::deque<GrpcFrame> completed_;
  size_t partial_bytes_ = 0;  // of the message in progress, uncredited
  bool input_failed_ = false;
  std::deque<std::shared_ptr<const std::string>> sending_;
  size_t sending_offset_ = 0, sending_bytes_ = 0;
  bool sending_closed_ = false;
  std::vector<std::shared_ptr<const std::string>> sent_;
  size_t sent_bytes_ = 0;
  bool keeps_sent_ = true;
};

}  // namespace gauntlet::net
