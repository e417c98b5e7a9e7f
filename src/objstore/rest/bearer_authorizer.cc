#include "objstore/rest/bearer_authorizer.h"

#include <charconv>
#include <chrono>

#include "json/reader.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {
namespace {

constexpr int64_t kRenewBeforeMs = 3 * 60 * 1000;
constexpr std::chrono::milliseconds kAskTimeout{30'000};

}  // namespace

BearerAuthorizer::BearerAuthorizer(Fetch fetch, Clock& clock, std::string header, std::shared_ptr<net::HttpClient> http)
    : fetch_(std::move(fetch)), clock_(clock), header_(std::move(header)), http_(std::move(http)) {}

Result<BearerToken> BearerAuthorizer::Get(const Cancel& cancel) {
  auto fresh = [&]() -> std::optional<BearerToken> {
    MutexLock lock(mutex_);
    if (current_.has_value() && clock_.NowMs() < current_->expires_ms - kRenewBeforeMs) return current_;
    return std::nullopt;
  };
  if (auto token = fresh()) return *token;
  MutexLock one(fetching_);
  if (auto token = fresh()) return *token;
  Result<BearerToken> fetched = fetch_(cancel);
  MutexLock lock(mutex_);
  if (fetched.ok()) {
    current_ = *fetched;
  } else if (current_.has_value() && clock_.NowMs() < current_->expires_ms) {
    return *current_;  // still good
  }
  return fetched;
}

Status BearerAuthorizer::Authorize(int64_t, const std::string&, Request* request, const Cancel& cancel) {
  GN_ASSIGN(BearerToken token, Get(cancel));
  request->headers.Set(header_, header_ == "Authorization" ? "Bearer " + token.token : token.token);
  return Status();
}

bool BearerAuthorizer::Renew() {
  MutexLock lock(mutex_);
  bool had = current_.has_value();
  current_.reset();
  return had;
}

Result<BearerToken> AskForToken(net::HttpClient& http, net::HttpCall call, Clock& clock, const Cancel& cancel) {
  CancelSource limited(cancel, kAskTimeout);
  GN_ASSIGN(net::HttpAnswer answer, http.Do(call, limited.cancel(), 1 << 20));
  if (answer.status != 200) {
    return Status(CodeOfStatus(answer.status), "ask for a token: status " + std::to_string(answer.status));
  }
  GN_ASSIGN(json::Document document, json::Document::Parse(answer.body));
  json::Value root = document.root();
  BearerToken token;
  token.token = root.Get("access_token").String().value_or("");
  if (token.token.empty()) return Status(Code::kCorrupt, "ask for a token: an answer without one");
  int64_t seconds = root.Get("expires_in").Int().value_or(0);
  if (auto text = root.Get("expires_in").String()) {  // Azure's instances write a string
    std::from_chars(text->data(), text->data() + text->size(), seconds);
  }
  token.expires_ms = clock.NowMs() + (seconds > 0 ? seconds : 3600) * 1000;
  return token;
}

}  // namespace gauntlet::objstore
