#include "objstore/s3/sign_v4.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/check.h"
#include "io/file_system.h"
#include "io/sha256.h"
#include "net/text.h"
#include "objstore/http_date.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

constexpr char kChunkedPayload[] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
constexpr size_t kSignatureBytes = 64;

std::string Trimmed(std::string_view value) {
  std::string out;
  bool space = false;
  for (char c : value) {
    if (c == ' ' || c == '\t') {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

std::string CanonicalQuery(const Request& request) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : request.query) pairs.emplace_back(AwsEscape(name, false), AwsEscape(value, false));
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += name + "=" + value;
  }
  return out;
}

// What all signatures of a request share.
struct Context {
  std::string timestamp, scope, key;

  std::string Sign(std::string_view algorithm, std::string_view rest) const {
    std::string text = std::string(algorithm) + "\n" + timestamp + "\n" + scope + "\n" + std::string(rest);
    return io::HexText(HmacSha256(key, text));
  }
};

Context MakeContext(const Credentials& credentials, const SignV4Options& options) {
  Context context;
  context.timestamp = FormatAmzDate(options.now_ms);
  std::string date = context.timestamp.substr(0, 8);
  context.scope = date + "/" + options.region + "/" + options.service + "/aws4_request";
  context.key = HmacSha256("AWS4" + credentials.secret_key, date);
  for (std::string_view part :
       {std::string_view(options.region), std::string_view(options.service), std::string_view("aws4_request")}) {
    context.key = HmacSha256(context.key, part);
  }
  return context;
}

// The file's bytes in chunks, each with a signature over its bytes and the signature before.
class ChunkedBody {
 public:
  ChunkedBody(Context context, std::string seed, const Request& request, size_t chunk_bytes)
      : context_(std::move(context)),
        seed_(std::move(seed)),
        file_(*request.file),
        begin_(request.file_offset),
        bytes_(request.file_bytes),
        chunk_bytes_(chunk_bytes) {}

  static uint64_t FramedBytes(uint64_t bytes, size_t chunk_bytes) {
    uint64_t whole = bytes / chunk_bytes, rest = bytes % chunk_bytes;
    return whole * Frame(chunk_bytes) + (rest > 0 ? Frame(rest) : 0) + Frame(0);
  }

  Status Read(uint64_t offset, size_t n, std::string* out) {
    if (offset == 0) {
      previous_ = seed_;
      read_ = sent_ = taken_ = 0;
      pending_.clear();
      ended_ = false;
    }
    GN_CHECK(offset == sent_);
    while (pending_.size() - taken_ < n) GN_TRY(Fill());
    out->assign(pending_, taken_, n);
    taken_ += n;
    sent_ += n;
    return Status();
  }

 private:
  static uint64_t Frame(uint64_t bytes) {
    char size[20];
    return static_cast<uint64_t>(snprintf(size, sizeof size, "%lx", bytes)) + 17 + kSignatureBytes + 2 + bytes + 2;
  }

  Status Fill() {
    GN_CHECK(!ended_);
    pending_.erase(0, taken_);
    taken_ = 0;
    auto n = static_cast<size_t>(std::min<uint64_t>(chunk_bytes_, bytes_ - read_));
    ended_ = n == 0;
    chunk_.clear();
    if (n > 0) GN_TRY(file_.Read(begin_ + read_, n, &chunk_));
    read_ += n;
    static const std::string empty_hash = io::Sha256Hex("");
    previous_ = context_.Sign("AWS4-HMAC-SHA256-PAYLOAD", previous_ + "\n" + empty_hash + "\n" + io::Sha256Hex(chunk_));
    char size[20];
    snprintf(size, sizeof size, "%zx", n);
    pending_.append(size).append(";chunk-signature=").append(previous_).append("\r\n").append(chunk_).append("\r\n");
    return Status();
  }

  const Context context_;
  const std::string seed_;
  const io::RandomFile& file_;
  const uint64_t begin_, bytes_;
  const size_t chunk_bytes_;
  std::string previous_, pending_, chunk_;
  uint64_t read_ = 0, sent_ = 0;
  size_t taken_ = 0;
  bool ended_ = false;
};

}  // namespace

void SignV4(const Credentials& credentials, const SignV4Options& options, Request* request) {
  const bool whole = request->file == nullptr || request->file_bytes == 0;  // then the body is a string, perhaps ""
  const bool chunked = !whole && !request->tls;
  std::string payload = "UNSIGNED-PAYLOAD";
  if (whole) {
    payload = io::Sha256Hex(request->body);
  } else if (chunked) {
    payload = kChunkedPayload;
    request->headers.Set("Content-Encoding", "aws-chunked");
    request->headers.Set("x-amz-decoded-content-length", std::to_string(request->file_bytes));
  }
  const Context context = MakeContext(credentials, options);
  request->headers.Set("x-amz-content-sha256", payload);
  request->headers.Set("x-amz-date", context.timestamp);
  if (!credentials.session_token.empty()) {
    request->headers.Set("x-amz-security-token", credentials.session_token);
  }
  std::vector<std::pair<std::string, std::string>> headers = {{"host", request->host}};
  for (const auto& [name, value] : request->headers.all()) headers.emplace_back(net::LowerAscii(name), Trimmed(value));
  std::sort(headers.begin(), headers.end());
  std::string canonical_headers, signed_headers;
  for (const auto& [name, value] : headers) {
    canonical_headers += name + ":" + value + "\n";
    signed_headers += (signed_headers.empty() ? "" : ";") + name;
  }
  std::string canonical = request->method + "\n" + AwsEscape(request->path, true) + "\n" + CanonicalQuery(*request) +
                          "\n" + canonical_headers + "\n" + signed_headers + "\n" + payload;
  std::string signature = context.Sign("AWS4-HMAC-SHA256", io::Sha256Hex(canonical));
  request->headers.Set("Authorization", "AWS4-HMAC-SHA256 Credential=" + credentials.access_key + "/" + context.scope +
                                            ",SignedHeaders=" + signed_headers + ",Signature=" + signature);
  if (!chunked) return;
  auto body = std::make_shared<ChunkedBody>(context, signature, *request, options.chunk_bytes);
  request->framed_bytes = ChunkedBody::FramedBytes(request->file_bytes, options.chunk_bytes);
  request->framed_body = [body](uint64_t offset, size_t n, std::string* out) { return body->Read(offset, n, out); };
}

}  // namespace gauntlet::objstore
