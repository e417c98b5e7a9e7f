#include "net/grpc/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace gauntlet::net {
namespace {

constexpr size_t kControlBytes = 4096;
constexpr size_t kControlFrameBytesMax = 1 << 20;
constexpr uint32_t kFrameBytesMax = 64 << 10;

std::vector<nghttp2_nv> ToNv(const Http2Headers& headers) {
  std::vector<nghttp2_nv> out;
  out.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    out.push_back({const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(name.data())),
                   const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(value.data())), name.size(), value.size(),
                   NGHTTP2_NV_FLAG_NONE});
  }
  return out;
}

}  // namespace

std::string_view HeaderOf(const Http2Headers& headers, std::string_view name) {
  for (const auto& [n, value] : headers) {
    if (n == name) return value;
  }
  return std::string_view();
}

struct Http2Session::Callbacks {
  static Http2Session& Self(void* user) { return *static_cast<Http2Session*>(user); }

  static ssize_t Send(nghttp2_session*, const uint8_t* data, size_t size, int, void* user) {
    Http2Session& self = Self(user);
    if (self.output_bytes_ >= self.options_.output_bytes_max) return NGHTTP2_ERR_WOULDBLOCK;
    self.AppendControl(data, size);
    return static_cast<ssize_t>(size);
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size, nghttp2_data_source*,
                      void* user) {
    Http2Session& self = Self(user);
    if (self.output_bytes_ >= self.options_.output_bytes_max) return NGHTTP2_ERR_WOULDBLOCK;
    self.AppendControl(head, 9);
    if (size > 0) self.TakeOutput(frame->hd.stream_id, size);
    return 0;
  }

  static ssize_t ReadSource(nghttp2_session*, int32_t stream, uint8_t*, size_t size, uint32_t* flags,
                            nghttp2_data_source*, void* user) {
    Http2Session& self = Self(user);
    Output output = self.AskOutput(stream, size);
    if (output.bytes == 0 && !output.end) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (output.end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (output.trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        self.OnOutputEnd(stream);
      }
    }
    return static_cast<ssize_t>(output.bytes);
  }

  static ssize_t ReadLength(nghttp2_session*, uint8_t, int32_t, int32_t session_window, int32_t stream_window,
                            uint32_t frame_bytes_max, void*) {
    int64_t length = std::min({session_window, stream_window, static_cast<int32_t>(frame_bytes_max)});
    return std::clamp<int64_t>(length, 1, kFrameBytesMax);
  }

  static int BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session& self = Self(user);
    self.headers_bytes_ = 0;
    self.headers_[frame->hd.stream_id].clear();
    return 0;
  }

  static int Header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void* user) {
    Http2Session& self = Self(user);
    self.headers_bytes_ += name_size + value_size + 32;  // RFC 9113, 6.5.2
    if (self.headers_bytes_ > self.options_.headers_bytes_max) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    self.headers_[frame->hd.stream_id].emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                                                    std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int FrameReceived(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session& self = Self(user);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: {
        auto node = self.headers_.extract(frame->hd.stream_id);
        if (node.empty()) break;
        self.OnHeaders(frame->hd.stream_id, std::move(node.mapped()), ends);
        if (ends) self.OnRemoteEnd(frame->hd.stream_id);
        break;
      }
      case NGHTTP2_DATA:
        if (ends) self.OnRemoteEnd(frame->hd.stream_id);
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
          self.settings_received_ = true;
          self.OnSettings();
        }
        break;
      case NGHTTP2_PING:
        (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 ? self.OnPong() : self.OnPing();
        break;
      case NGHTTP2_GOAWAY: {
        const nghttp2_goaway& goaway = frame->goaway;
        self.OnGoAway(goaway.error_code,
                      std::string_view(reinterpret_cast<const char*>(goaway.opaque_data), goaway.opaque_data_len));
        break;
      }
      default:
        break;
    }
    return 0;
  }

  static int DataChunk(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data, size_t size,
                       void* user) {
    nghttp2_session_consume_connection(session, size);
    Self(user).OnData(stream, std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
  }

  static int StreamClosed(nghttp2_session*, int32_t stream, uint32_t error, void* user) {
    Http2Session& self = Self(user);
    self.headers_.erase(stream);
    self.OnStreamClosed(stream, error);
    return 0;
  }

  static int FrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session& self = Self(user);
    bool carries_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!carries_stream) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      self.OnRequestSent(frame->hd.stream_id);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self.OnLocalEnd(frame->hd.stream_id);
    return 0;
  }

  static int FrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    Http2Session& self = Self(user);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    self.OnRequestNotSent(frame->hd.stream_id);
    return 0;
  }

  static int Error(nghttp2_session*, int, const char* text, size_t size, void* user) {
    Self(user).error_text_.assign(text, size);
    return 0;
  }
};

Http2Session::Http2Session(const Http2Options& options) : options_(options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  GN_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_send_callback(callbacks, Callbacks::Send);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::SendData);
  nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, Callbacks::ReadLength);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::BeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::Header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::FrameReceived);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::DataChunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::StreamClosed);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::FrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::FrameNotSent);
  nghttp2_session_callbacks_set_error_callback2(callbacks, Callbacks::Error);
  nghttp2_option* option = nullptr;
  GN_CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_send_header_block_length(option, kControlFrameBytesMax);
  nghttp2_option_set_peer_max_concurrent_streams(option, std::numeric_limits<int32_t>::max());
  // Callers cancel a lot; what a reset costs us is bounded by the number of handlers, not by this.
  nghttp2_option_set_stream_reset_rate_limit(option, 10'000, 1'000);
  int made = options.server ? nghttp2_session_server_new2(&session_, callbacks, this, option)
                            : nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  GN_CHECK(made == 0);

  std::vector<nghttp2_settings_entry> settings{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.window_bytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kFrameBytesMax},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(options.headers_bytes_max)}};
  if (options.server) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.streams_max});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(options.connection_window_bytes));
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

Status Http2Session::Receive(std::string_view bytes) {
  ssize_t taken = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0) return Status();
  return Status(Code::kCorrupt, std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
}

size_t Http2Session::Gather(iovec* out, size_t max) {
  if (output_bytes_ < options_.output_bytes_max && nghttp2_session_send(session_) != 0) broken_ = true;
  size_t count = std::min(max, output_.size());
  for (size_t i = 0; i < count; ++i) {
    const Http2Slice& slice = output_[i];
    out[i] = {const_cast<char*>(slice.owner->data()) + slice.offset, slice.size};
  }
  return count;
}

void Http2Session::Sent(size_t bytes) {
  GN_DCHECK(bytes <= output_bytes_);
  output_bytes_ -= bytes;
  while (bytes > 0) {
    Http2Slice& slice = output_.front();
    if (bytes < slice.size) {
      slice.offset += bytes;
      slice.size -= bytes;
      return;
    }
    bytes -= slice.size;
    output_.pop_front();
  }
}

bool Http2Session::done() const {
  if (broken_) return true;
  return output_bytes_ == 0 && (terminates_ || nghttp2_session_want_read(session_) == 0) &&
         nghttp2_session_want_write(session_) == 0;
}

void Http2Session::AnnounceShutdown() { nghttp2_submit_shutdown_notice(session_); }

void Http2Session::GoAway(uint32_t error, std::string_view text, bool at_once) {
  goaway_sent_ = true;
  terminates_ = terminates_ || at_once;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_), error,
                        reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

void Http2Session::Ping() {
  static constexpr uint8_t kBytes[8] = {'g', 'a', 'u', 'n', 't', 'l', 'e', 't'};
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kBytes);
}

int32_t Http2Session::SubmitRequest(const Http2Headers& headers) {
  if (nghttp2_session_check_request_allowed(session_) == 0) return -1;
  std::vector<nghttp2_nv> nv = ToNv(headers);
  nghttp2_data_provider body{{0}, Callbacks::ReadSource};
  int32_t stream = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), &body, nullptr);
  if (stream < 0) return -1;
  return stream;
}

void Http2Session::SubmitResponse(int32_t stream, const Http2Headers& headers, bool has_body) {
  std::vector<nghttp2_nv> nv = ToNv(headers);
  nghttp2_data_provider body{{0}, Callbacks::ReadSource};
  nghttp2_submit_response(session_, stream, nv.data(), nv.size(), has_body ? &body : nullptr);
}

void Http2Session::SubmitTrailers(int32_t stream, const Http2Headers& trailers) {
  std::vector<nghttp2_nv> nv = ToNv(trailers);
  nghttp2_submit_trailer(session_, stream, nv.data(), nv.size());
}

void Http2Session::Reset(int32_t stream, uint32_t error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, error);
}

void Http2Session::ResumeOutput(int32_t stream) { nghttp2_session_resume_data(session_, stream); }

void Http2Session::Consume(int32_t stream, size_t bytes) {
  if (bytes > 0) nghttp2_session_consume_stream(session_, stream, bytes);
}

bool Http2Session::RemoteEnded(int32_t stream) const {
  return nghttp2_session_get_stream_remote_close(session_, stream) != 0;
}

bool Http2Session::LocalEnded(int32_t stream) const {
  return nghttp2_session_get_stream_local_close(session_, stream) != 0;
}

void Http2Session::AppendOutput(Http2Slice slice) {
  output_bytes_ += slice.size;
  output_.push_back(std::move(slice));
}

void Http2Session::AppendControl(const uint8_t* bytes, size_t size) {
  if (control_ && output_.empty()) control_->clear();
  if (!control_ || control_->size() + size > control_->capacity()) {
    control_ = std::make_shared<std::string>();
    control_->reserve(std::max(kControlBytes, size));
  }
  size_t offset = control_->size();
  control_->append(reinterpret_cast<const char*>(bytes), size);
  output_bytes_ += size;
  if (!output_.empty() && output_.back().owner == control_ && output_.back().offset + output_.back().size == offset) {
    output_.back().size += size;
    return;
  }
  output_.push_back({control_, offset, size});
}

}  // namespace gauntlet::net
