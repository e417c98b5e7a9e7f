#include "net/http/client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/http/curl_pool.h"
#include "net/http/transfer.h"
#include "net/url.h"

namespace gauntlet::net {
namespace {

constexpr size_t kSmallRead = 64 << 10, kLargeRead = 512 << 10;  // the latter is libcurl's largest
constexpr size_t kReserveMax = 16 << 20;

// "GET http://host/path": without user, password and query (which may be megabytes of matchers).
std::string Doing(const HttpCall& call) {
  auto url = Url::Parse(call.url);
  if (!url.ok()) return call.method;
  url->query.clear();
  return call.method + " " + url->ToPublicString();
}

class Client final : public HttpClient {
 public:
  explicit Client(HttpClientOptions options)
      : options_(std::move(options)), pool_(options_.idle_connections_max, options_.idle_timeout) {}

  Result<HttpAnswer> Do(const HttpCall& call, const Cancel& cancel, size_t body_bytes_max) override {
    HttpAnswer answer;
    auto too_long = [&] {
      Status status(Code::kExhausted, "the answer is longer than " + std::to_string(body_bytes_max) + " bytes");
      return std::move(status).Wrap(Doing(call));
    };
    auto on_head = [&](const HttpAnswer& head) {
      answer.status = head.status;
      answer.headers = head.headers;
      size_t length = 0;
      std::string_view text = head.headers.Get("Content-Length");
      std::from_chars(text.data(), text.data() + text.size(), length);
      if (call.method == "HEAD") return Status();
      if (length > body_bytes_max) return too_long();
      answer.body.reserve(std::min(length, kReserveMax));
      return Status();
    };
    auto on_body = [&](std::string_view bytes) {
      if (bytes.size() > body_bytes_max - answer.body.size()) return too_long();
      answer.body += bytes;
      return Status();
    };
    GN_TRY(Run(call, cancel, kSmallRead, on_head, on_body));
    return answer;
  }

  Status Stream(const HttpCall& call, const Cancel& cancel, const std::function<Status(const HttpAnswer&)>& on_head,
                const std::function<Status(std::string_view)>& on_body) override {
    return Run(call, cancel, kLargeRead, on_head, on_body);
  }

 private:
  Status Run(const HttpCall& call, const Cancel& cancel, size_t read_bytes, const HttpTransfer::OnHead& on_head,
             const HttpTransfer::OnBody& on_body) {
    GN_ASSIGN(Url url, Url::Parse(call.url));
    HttpTransfer transfer(options_, call, cancel, read_bytes, on_head, on_body);
    Status status = transfer.Run(url, pool_);
    if (status.ok() || transfer.callback_failed()) return status;
    return std::move(status).Wrap(Doing(call));
  }

  const HttpClientOptions options_;
  CurlPool pool_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Make(HttpClientOptions options) {
  bool basic =
      !options.basic_username.empty() || !options.basic_password.empty() || !options.basic_password_file.empty();
  bool bearer = !options.bearer_token.empty() || !options.bearer_token_file.empty();
  if (basic && bearer) return Status(Code::kInvalid, "HTTP client: basic auth and a bearer token exclude each other");
  if (!options.basic_password.empty() && !options.basic_password_file.empty()) {
    return Status(Code::kInvalid, "HTTP client: basic auth's password and password_file exclude each other");
  }
  if (!options.bearer_token.empty() && !options.bearer_token_file.empty()) {
    return Status(Code::kInvalid, "HTTP client: bearer_token and bearer_token_file exclude each other");
  }
  if (options.tls.cert_file.empty() != options.tls.key_file.empty()) {
    return Status(Code::kInvalid, "HTTP client: TLS cert_file and key_file go together");
  }
  if (!options.proxy_url.empty()) {
    if (auto proxy = Url::Parse(options.proxy_url); !proxy.ok()) return proxy.status().Wrap("HTTP client: proxy_url");
  }
  return std::unique_ptr<HttpClient>(std::make_unique<Client>(std::move(options)));
}

}  // namespace gauntlet::net
