#include "net/http_transfer.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "net/url.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr long kRedirectsMax = 10;    // as Go's client
constexpr long kCaCacheSeconds = 60;  // how long a replaced CA file may go unnoticed by a pooled handle
constexpr long kUploadBuffer = 256 << 10;
constexpr milliseconds kLookEvery{1'000};
constexpr milliseconds kWaitMax{10'000};  // libcurl shortens it to its own timers

// OpenSSL writes to sockets with write(2): while this lives, a peer that has gone does not raise SIGPIPE here.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    timespec now{};
    while (sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
};

void InitCurl() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  GN_CHECK(done);
}

// The bundle of this system; libcurl knows only the place of the one that it was built on.
std::string SystemCaFile() {
  struct stat st{};
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') return file;
  for (const char* path :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (stat(path, &st) == 0) return path;
  }
  return std::string();
}

Result<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file.good()) return Status(Code::kUnavailable, "read " + path + ": " + std::system_category().message(errno));
  std::string secret = text.str();
  size_t first = secret.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return std::string();
  return secret.substr(first, secret.find_last_not_of(" \t\r\n") - first + 1);
}

bool HasLineBreak(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

long MinVersion(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return CURL_SSLVERSION_TLSv1_0;
    case TlsVersion::k11:
      return CURL_SSLVERSION_TLSv1_1;
    case TlsVersion::k12:
      return CURL_SSLVERSION_TLSv1_2;
    case TlsVersion::k13:
      return CURL_SSLVERSION_TLSv1_3;
  }
  return CURL_SSLVERSION_TLSv1_2;
}

int ServerNameIndex() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* name, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(name); });
  return index;
}

// libcurl asks for and verifies the URL's host. Another name is verified by OpenSSL's own check instead, and asked for
// at the last moment before the hello is written.
CURLcode UseServerName(CURL*, void* ssl_ctx, void* server_name) {
  auto* ctx = static_cast<SSL_CTX*>(ssl_ctx);
  const auto& name = *static_cast<const std::string*>(server_name);
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(ctx);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1) return CURLE_OK;  // an address: no SNI
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) != 1) return CURLE_SSL_CERTPROBLEM;
  if (SSL_CTX_get_ex_data(ctx, ServerNameIndex()) == nullptr) {
    SSL_CTX_set_ex_data(ctx, ServerNameIndex(), new std::string(name));
  }
  SSL_CTX_set_info_callback(ctx, [](const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
    const void* sni = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ServerNameIndex());
    SSL_set_tlsext_host_name(const_cast<SSL*>(ssl), static_cast<const std::string*>(sni)->c_str());
  });
  return CURLE_OK;
}

}  // namespace

// ---- CurlPool -------------------------------------------------------------------------------------------------------

class CurlPool::Share {
 public:
  Share() : share_(curl_share_init()) {
    GN_CHECK(share_ != nullptr);
    curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
    curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, Lock);
    curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, Unlock);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  ~Share() { curl_share_cleanup(share_); }
  CURLSH* handle() const { return share_; }

 private:
  static void Lock(CURL*, curl_lock_data data, curl_lock_access, void* self) GN_NO_THREAD_SAFETY_ANALYSIS {
    static_cast<Share*>(self)->mutexes_[data].Lock();
  }
  static void Unlock(CURL*, curl_lock_data data, void* self) GN_NO_THREAD_SAFETY_ANALYSIS {
    static_cast<Share*>(self)->mutexes_[data].Unlock();
  }

  std::array<Mutex, CURL_LOCK_DATA_LAST> mutexes_;
  CURLSH* share_;
};

CurlPool::CurlPool(size_t idle_max, milliseconds idle_timeout) : idle_max_(idle_max), idle_timeout_(idle_timeout) {
  InitCurl();
  share_ = std::make_unique<Share>();
}

CurlPool::~CurlPool() {
  NoSigpipe no_sigpipe;
  MutexLock lock(mutex_);
  for (auto& [origin, list] : resting_) {
    for (const Resting& resting : list) curl_multi_cleanup(resting.multi);
  }
}

void* CurlPool::shared() const { return share_->handle(); }

void* CurlPool::Take(const std::string& origin) {
  void* multi = nullptr;
  std::vector<void*> expired;
  {
    MutexLock lock(mutex_);
    Expire(&expired);
    if (auto found = resting_.find(origin); found != resting_.end()) {
      multi = found->second.back().multi;
      found->second.pop_back();
      --resting_count_;
      if (found->second.empty()) resting_.erase(found);
    }
  }
  for (void* old : expired) curl_multi_cleanup(old);
  if (multi != nullptr) return multi;
  multi = curl_multi_init();
  GN_CHECK(multi != nullptr);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L);  // a redirect or a proxy may need a second
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  return multi;
}

void CurlPool::Give(const std::string& origin, void* multi) {
  std::vector<void*> expired;
  {
    MutexLock lock(mutex_);
    resting_[origin].push_back({multi, steady_clock::now()});
    ++resting_count_;
    Expire(&expired);
  }
  for (void* old : expired) curl_multi_cleanup(old);
}

void CurlPool::Expire(std::vector<void*>* out) {
  auto now = steady_clock::now();
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    for (auto at = resting_.begin(); at != resting_.end();) {
      auto& list = at->second;
      auto fresh =
          std::find_if(list.begin(), list.end(), [&](const Resting& r) { return now - r.since < idle_timeout_; });
      for (auto old = list.begin(); old != fresh; ++old) out->push_back(old->multi);
      resting_count_ -= static_cast<size_t>(fresh - list.begin());
      list.erase(list.begin(), fresh);
      at = list.empty() ? resting_.erase(at) : std::next(at);
    }
  }
  while (resting_count_ > idle_max_) {
    auto oldest = std::min_element(resting_.begin(), resting_.end(), [](const auto& a, const auto& b) {
      return a.second.front().since < b.second.front().since;
    });
    out->push_back(oldest->second.front().multi);
    oldest->second.erase(oldest->second.begin());
    if (oldest->second.empty()) resting_.erase(oldest);
    --resting_count_;
  }
}

// ---- HttpTransfer ---------------------------------------------------------------------------------------------------

struct HttpTransfer::Curl {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = "";

  ~Curl() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  void AddHeader(const std::string& line) {
    curl_slist* more = curl_slist_append(headers, line.c_str());
    GN_CHECK(more != nullptr);
    headers = more;
  }
  template <typename T>
  void Set(CURLoption option, T value) {
    GN_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
  }
};

HttpTransfer::HttpTransfer(const HttpClientOptions& options, const HttpCall& call, const Cancel& cancel,
                           size_t receive_buffer_bytes, const OnHead& on_head, const OnBody& on_body)
    : options_(options),
      call_(call),
      cancel_(cancel),
      receive_buffer_bytes_(receive_buffer_bytes),
      on_head_(on_head),
      on_body_(on_body),
      begun_(steady_clock::now()),
      curl_(std::make_unique<Curl>()),
      moved_(begun_) {}

HttpTransfer::~HttpTransfer() = default;

Status HttpTransfer::Run(const Url& url, CurlPool& pool) {
  NoSigpipe no_sigpipe;
  GN_TRY(cancel_.status());
  std::string origin = url.scheme + "://" + url.Authority();
  curl_->easy = curl_easy_init();
  GN_CHECK(curl_->easy != nullptr);
  curl_->Set(CURLOPT_SHARE, static_cast<CURLSH*>(pool.shared()));
  GN_TRY(SetUp(url));
  curl_->multi = pool.Take(origin);
  curl_multi_add_handle(curl_->multi, curl_->easy);
  Status status = Drive();
  curl_multi_remove_handle(curl_->multi, curl_->easy);
  pool.Give(origin, curl_->multi);
  return status;
}

Status HttpTransfer::SetUp(const Url& url) {
  Curl& curl = *curl_;
  curl.Set(CURLOPT_ERRORBUFFER, curl.error);
  curl.Set(CURLOPT_NOSIGNAL, 1L);
  curl.Set(CURLOPT_QUICK_EXIT, 1L);  // a call that ends does not wait for a name lookup that hangs
  curl.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.Set(CURLOPT_PATH_AS_IS, 1L);
  curl.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  curl.Set(CURLOPT_BUFFERSIZE, static_cast<long>(receive_buffer_bytes_));
  curl.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  curl.Set(CURLOPT_MAXAGE_CONN, std::max(1L, static_cast<long>(options_.idle_timeout.count() / 1000)));
  curl.Set(CURLOPT_FOLLOWLOCATION, options_.follow_redirects ? 1L : 0L);
  curl.Set(CURLOPT_MAXREDIRS, kRedirectsMax);
  // Without a proxy of ours, none, unless asked for: the environment's http_proxy is for people's tools.
  if (!options_.proxy_from_environment || !options_.proxy_url.empty()) {
    curl.Set(CURLOPT_PROXY, options_.proxy_url.c_str());
    curl.Set(CURLOPT_NOPROXY, "");
  }
  curl.Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl.Set(CURLOPT_HEADERFUNCTION, &HttpTransfer::OnHeadLine);
  curl.Set(CURLOPT_HEADERDATA, this);
  curl.Set(CURLOPT_WRITEFUNCTION, &HttpTransfer::OnBodyBytes);
  curl.Set(CURLOPT_WRITEDATA, this);
  if (curl_easy_setopt(curl.easy, CURLOPT_URL, call_.url.c_str()) != CURLE_OK) {
    return {Code::kInvalid, "malformed URL"};
  }
  GN_TRY(SetUpRequest());
  GN_TRY(SetUpAuth(url));
  if (url.scheme == "https" || options_.follow_redirects || !options_.proxy_url.empty()) GN_TRY(SetUpTls());
  curl.Set(CURLOPT_HTTPHEADER, curl.headers);
  return Status();
}

Status HttpTransfer::SetUpRequest() {
  Curl& curl = *curl_;
  if (call_.method.empty() || call_.method.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) {
    return {Code::kInvalid, "malformed method"};
  }
  const bool streamed = call_.streamed_body != nullptr;
  bool body =
      streamed || !call_.body.empty() || call_.method == "POST" || call_.method == "PUT" || call_.method == "PATCH";
  if (body) {
    curl.Set(CURLOPT_POST, 1L);
    if (streamed) {
      curl.Set(CURLOPT_READFUNCTION, &HttpTransfer::OnSend);
      curl.Set(CURLOPT_READDATA, this);
      curl_seek_callback rewind = [](void* self, curl_off_t offset, int origin) {
        return OnRewind(self, offset, origin);
      };
      curl.Set(CURLOPT_SEEKFUNCTION, rewind);
      curl.Set(CURLOPT_SEEKDATA, this);
      curl.Set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer);
      curl.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.streamed_bytes));
    } else {
      curl.Set(CURLOPT_POSTFIELDS, call_.body.c_str());
      curl.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
    }
  }
  if (call_.method == "HEAD") {
    curl.Set(CURLOPT_NOBODY, 1L);
  } else if (call_.method != (body ? "POST" : "GET")) {
    curl.Set(CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  }
  if (!call_.headers.Has("User-Agent")) curl.Set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  // libcurl decodes what it asked for; a caller who asks by himself gets the bytes as they are.
  if (options_.compression && !call_.headers.Has("Accept-Encoding")) curl.Set(CURLOPT_ACCEPT_ENCODING, "gzip");
  curl.AddHeader("Expect:");  // no round trip before the body
  if (body && !call_.headers.Has("Content-Type")) curl.AddHeader("Content-Type:");
  for (const auto& [name, value] : call_.headers.all()) {
    if (name.empty() || HasLineBreak(name) || name.find_first_of(":; ") != std::string::npos || HasLineBreak(value)) {
      return {Code::kInvalid, "malformed header " + name.substr(0, 50)};
    }
    curl.AddHeader(value.empty() ? name + ";" : name + ": " + value);
  }
  return Status();
}

Status HttpTransfer::SetUpAuth(const Url& url) {
  if (call_.headers.Has("Authorization")) return Status();
  std::string token = options_.bearer_token, password = options_.basic_password;
  if (!options_.bearer_token_file.empty()) {
    GN_ASSIGN(token, ReadSecret(options_.bearer_token_file));
  }
  if (!options_.basic_password_file.empty()) {
    GN_ASSIGN(password, ReadSecret(options_.basic_password_file));
  }
  if (!options_.basic_username.empty() || !password.empty()) {
    curl_->Set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_->Set(CURLOPT_USERNAME, options_.basic_username.c_str());
    curl_->Set(CURLOPT_PASSWORD, password.c_str());
  } else if (!token.empty()) {
    if (HasLineBreak(token)) return {Code::kInvalid, "malformed bearer token"};
    curl_->AddHeader("Authorization: Bearer " + token);  // libcurl drops it when a redirect goes to another host
  } else if (!url.username.empty() || !url.password.empty()) {
    curl_->Set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  }
  return Status();
}

Status HttpTransfer::SetUpTls() {
  Curl& curl = *curl_;
  const TlsClientOptions& tls = options_.tls;
  curl.Set(CURLOPT_SSLVERSION, MinVersion(tls.min_version));
  curl.Set(CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  std::string ca = tls.ca_file.empty() ? SystemCaFile() : tls.ca_file;
  if (!ca.empty()) curl.Set(CURLOPT_CAINFO, ca.c_str());
  if (!tls.ca_file.empty()) curl.Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // that one and no other
  if (!tls.cert_file.empty()) curl.Set(CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) curl.Set(CURLOPT_SSLKEY, tls.key_file.c_str());
  curl.Set(CURLOPT_SSL_VERIFYPEER, tls.skip_verify ? 0L : 1L);
  curl.Set(CURLOPT_SSL_VERIFYHOST, tls.skip_verify || !tls.server_name.empty() ? 0L : 2L);
  if (!tls.server_name.empty()) {
    curl.Set(CURLOPT_SSL_CTX_FUNCTION, &UseServerName);
    curl.Set(CURLOPT_SSL_CTX_DATA, const_cast<std::string*>(&tls.server_name));
  }
  return Status();
}

Status HttpTransfer::Drive() {
  auto wake = cancel_.OnStop([multi = curl_->multi] { curl_multi_wakeup(multi); });
  while (true) {
    int running = 0;
    CURLMcode code = curl_multi_perform(curl_->multi, &running);
    if (code != CURLM_OK) return {Code::kInternal, curl_multi_strerror(code)};
    int left = 0;
    if (const CURLMsg* done = curl_multi_info_read(curl_->multi, &left); done != nullptr) {
      return Outcome(done->data.result);
    }
    GN_TRY(Ended());
    code = curl_multi_poll(curl_->multi, nullptr, 0, static_cast<int>(WaitTime().count()), nullptr);
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
  const char* detail = curl_->error[0] != '\0' ? curl_->error : curl_easy_strerror(static_cast<CURLcode>(curl_code));
  std::string text = detail;
  long os_error = 0;
  if (curl_easy_getinfo(curl_->easy, CURLINFO_OS_ERRNO, &os_error) == CURLE_OK && os_error != 0) {
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
    curl_easy_getinfo(curl_->easy, CURLINFO_RESPONSE_CODE, &status);
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
