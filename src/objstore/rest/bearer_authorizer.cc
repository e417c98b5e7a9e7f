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
    : token_(std::move(fetch), clock, kRenewBeforeMs), header_(std::move(header)), http_(std::move(http)) {}

Status BearerAuthorizer::Authorize(int64_t, const std::string&, Request* request, const Cancel& cancel) {
  GN_ASSIGN(BearerToken token, token_.Get(cancel));
  request->headers.Set(header_, header_ == "Authorization" ? "Bearer " + token.token : token.token);
  return Status();
}

bool BearerAuthorizer::Renew() { return token_.Forget().has_value(); }

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
