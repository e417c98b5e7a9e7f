#include "net/http/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "net/http/curl_pool.h"
#include "net/http/curl_request.h"
#include "net/http/no_sigpipe.h"
#include "net/url.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kWaitMax{10'000};  // libcurl shortens it to its own timers

template <typename T>
void Set(CURL* easy, CURLoption option, T value) {
  GN_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

}  // namespace

HttpTransfer::HttpTransfer(const HttpClientOptions& options, const HttpCall& call, const Cancel& cancel,
                           size_t receive_buffer_bytes, const OnHead& on_head, const OnBody& on_body)
    : options_(options),
      call_(call),
      cancel_(cancel),
      receive_buffer_bytes_(receive_buffer_bytes),
      on_head_(on_head),
      on_body_(on_body),
      begun_(steady_clock::now()),
      moved_(begun_) {}

HttpTransfer::~HttpTransfer() = default;

Status HttpTransfer::Run(const Url& url, CurlPool& pool) {
  NoSigpipe no_sigpipe;
  GN_TRY(cancel_.status());
  std::string origin = url.scheme + "://" + url.Authority();
  request_ = std::make_unique<CurlRequest>(options_, call_);
  Set(request_->easy(), CURLOPT_SHARE, static_cast<CURLSH*>(pool.shared()));
  GN_TRY(request_->SetUp(url));
  SetCallbacks();
  void* multi = pool.Take(origin);
  curl_multi_add_handle(multi, request_->easy());
  Status status = Drive(multi);
  curl_multi_remove_handle(multi, request_->easy());
  pool.Give(origin, multi);
  return status;
}

void HttpTransfer::SetCallbacks() {
  CURL* easy = request_->easy();
  Set(easy, CURLOPT_BUFFERSIZE, static_cast<long>(receive_buffer_bytes_));
  Set(easy, CURLOPT_HEADERFUNCTION, &HttpTransfer::OnHeadLine);
  Set(easy, CURLOPT_HEADERDATA, this);
  Set(easy, CURLOPT_WRITEFUNCTION, &HttpTransfer::OnBodyBytes);
  Set(easy, CURLOPT_WRITEDATA, this);
  if (call_.streamed_body == nullptr) return;
  Set(easy, CURLOPT_READFUNCTION, &HttpTransfer::OnSend);
  Set(easy, CURLOPT_READDATA, this);
  curl_seek_callback rewind = [](void* self, curl_off_t offset, int origin) { return OnRewind(self, offset, origin); };
  Set(easy, CURLOPT_SEEKFUNCTION, rewind);
  Set(easy, CURLOPT_SEEKDATA, this);
}

Status HttpTransfer::Drive(void* multi) {
  auto wake = cancel_.OnStop([multi] { curl_multi_wakeup(multi); });
  while (true) {
    int running = 0;
    CURLMcode code = curl_multi_perform(multi, &running);
    if (code != CURLM_OK) return {Code::kInternal, curl_multi_strerror(code)};
    int left = 0;
    if (const CURLMsg* done = curl_multi_info_read(multi, &left); done != nullptr) {
      return Outcome(done->data.result);
    }
    GN_TRY(Ended());
    code = curl_multi_poll(multi, nullptr, 0, static_cast<int>(WaitTime().count()), nullptr);
    if (code != CURLM_OK) return {Code::kInternal, curl_multi_strerror(code)};
  }
}

Status HttpTransfer::Ended() const {
  GN_TRY(cancel_.status());
  const auto now = steady_clock::now();
  auto passed = now - begun_;
  if (options_.timeout.count() > 0 && passed >= options_.timeout) {
    return {Code::kDeadline, "no complete answer after " + std::to_string(options_.timeout.count()) + " ms"};
  }
  if (!head_done_ && options_.header_timeout.count() > 0 && now - moved_ >= options_.header_timeout) {
    return {Code::kDeadline, "no answer after " + std::to_string(options_.header_timeout.count()) + " ms"};
  }
  if (options_.stall_timeout.count() > 0 && now - moved_ >= options_.stall_timeout) {
    return {Code::kDeadline, "no byte for " + std::to_string(options_.stall_timeout.count()) + " ms"};
  }
  return Status();
}

milliseconds HttpTransfer::WaitTime() const {
  auto until = cancel_.DeadlineOr(kWaitMax);
  if (options_.timeout.count() > 0) until = std::min(until, begun_ + options_.timeout);
  if (!head_done_ && options_.header_timeout.count() > 0) until = std::min(until, moved_ + options_.header_timeout);
  if (options_.stall_timeout.count() > 0) until = std::min(until, moved_ + options_.stall_timeout);
  auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  return std::max(left, milliseconds(0));
}

Status HttpTransfer::Outcome(int curl_code) {
  if (!stopped_.ok()) return stopped_;
  if (curl_code == CURLE_OK) return head_done_ ? Status() : Status(Code::kUnavailable, "the answer is cut short");
  GN_TRY(Ended());
  const char* detail =
      *request_->error() != '\0' ? request_->error() : curl_easy_strerror(static_cast<CURLcode>(curl_code));
  std::string text = detail;
  long os_error = 0;
  if (curl_easy_getinfo(request_->easy(), CURLINFO_OS_ERRNO, &os_error) == CURLE_OK && os_error != 0) {
    text += ": " + std::system_category().message(static_cast<int>(os_error));
  }
  switch (curl_code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return {Code::kInvalid, text};
    default:
      return {Code::kUnavailable, text};
  }
}

// ---- what libcurl calls ---------------------------------------------------------------------------------------------

size_t HttpTransfer::OnHeadLine(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  std::string_view line(data, size * count);
  if (!transfer->stopped_.ok()) return 0;
  transfer->stopped_ = transfer->HeadLine(line);
  return transfer->stopped_.ok() ? line.size() : 0;
}

size_t HttpTransfer::OnBodyBytes(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  std::string_view bytes(data, size * count);
  if (!transfer->head_done_) return bytes.size();  // of a redirect
  transfer->moved_ = steady_clock::now();          // these bytes count, also when the loop was late
  transfer->stopped_ = transfer->Ended();
  if (transfer->stopped_.ok()) {
    transfer->stopped_ = transfer->on_body_(bytes);
    transfer->callback_failed_ = !transfer->stopped_.ok();
    transfer->moved_ = steady_clock::now();
  }
  return transfer->stopped_.ok() ? bytes.size() : CURL_WRITEFUNC_ERROR;
}

size_t HttpTransfer::OnSend(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  uint64_t left = transfer->call_.streamed_bytes - transfer->sent_bytes_;
  auto n = static_cast<size_t>(std::min<uint64_t>(size * count, left));
  if (n == 0) return 0;
  transfer->stopped_ = transfer->Ended();
  if (transfer->stopped_.ok()) {
    transfer->stopped_ = transfer->call_.streamed_body(transfer->sent_bytes_, n, &transfer->send_buffer_);
    transfer->callback_failed_ = !transfer->stopped_.ok();
    transfer->moved_ = steady_clock::now();
  }
  if (!transfer->stopped_.ok()) return CURL_READFUNC_ABORT;
  GN_CHECK(transfer->send_buffer_.size() == n);
  std::memcpy(data, transfer->send_buffer_.data(), n);
  transfer->sent_bytes_ += n;
  return n;
}

int HttpTransfer::OnRewind(void* self, int64_t offset, int origin) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  if (origin != SEEK_SET || offset < 0 || static_cast<uint64_t>(offset) > transfer->call_.streamed_bytes) {
    return CURL_SEEKFUNC_FAIL;
  }
  transfer->sent_bytes_ = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

Status HttpTransfer::HeadLine(std::string_view line) {
  if (head_done_) return Status();  // a trailer
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    head_ = HttpAnswer();
    long status = 0;
    curl_easy_getinfo(request_->easy(), CURLINFO_RESPONSE_CODE, &status);
    head_.status = static_cast<int>(status);
    return Status();
  }
  if (!line.empty()) {
    size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    head_.headers.Add(line.substr(0, colon), value);
    return Status();
  }
  bool interim = head_.status < 200;
  bool redirect =
      options_.follow_redirects && head_.status >= 300 && head_.status < 400 && head_.headers.Has("Location");
  return interim || redirect ? Status() : HeadDone();
}

Status HttpTransfer::HeadDone() {
  head_done_ = true;
  if (head_.headers.Has("Content-Encoding") && options_.compression && !call_.headers.Has("Accept-Encoding")) {
    head_.headers.Remove("Content-Length");  // of the bytes before decoding
  }
  Status status = on_head_(head_);
  callback_failed_ = !status.ok();
  return status;
}

}  // namespace gauntlet::net
