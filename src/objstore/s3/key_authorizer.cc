#include "objstore/s3/key_authorizer.h"

#include "objstore/s3/sign_v4.h"

namespace gauntlet::objstore {

KeyAuthorizer::KeyAuthorizer(std::unique_ptr<CredentialSource> source, const V2Dialect* dialect,
                             std::string resource_prefix, std::unique_ptr<net::HttpClient> http)
    : http_(std::move(http)),
      source_(std::move(source)),
      dialect_(dialect),
      resource_prefix_(std::move(resource_prefix)) {}

Status KeyAuthorizer::Authorize(int64_t now_ms, const std::string& region, Request* request, const Cancel& cancel) {
  GN_ASSIGN(Credentials credentials, source_->Get(cancel));
  if (credentials.anonymous()) return Status();
  if (dialect_ != nullptr) {
    // AWS signs the path as it is sent, the others the name itself.
    std::string path = dialect_->escaped_resource ? AwsEscape(request->path, true) : request->path;
    SignV2(*dialect_, credentials, now_ms, resource_prefix_ + path, request);
    return Status();
  }
  SignV4Options options;
  options.region = region;
  options.now_ms = now_ms;
  SignV4(credentials, options, request);
  return Status();
}

}  // namespace gauntlet::objstore
