// Where the keys come from: the configuration, the environment, a file, or the machine that this runs on (web identity,
// container, instance); those that expire are fetched anew in time.
//
// Upstream: minio-go pkg/credentials (chain of EnvAWS, FileAWSCredentials, IAM)
// Threads:  thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/status.h"
#include "io/file_system.h"
#include "net/http/client.h"
#include "objstore/renewed.h"
#include "objstore/s3/sign_v4.h"

namespace gauntlet::objstore {

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  virtual Result<Credentials> Get(const Cancel& cancel) = 0;
  // What was given last is not taken: true when the next Get may give others.
  virtual bool Forget() { return false; }
};

class StaticCredentials final : public CredentialSource {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> Get(const Cancel&) override { return credentials_; }

 private:
  const Credentials credentials_;
};

struct CredentialOptions {
  std::function<std::optional<std::string>(const std::string&)> environment;  // null = the process's
  std::string endpoint;  // of STS and of the instance's metadata, instead of the usual ones
  std::string region;
  std::string user_agent;
};

// The first of these that there is: AWS_ACCESS_KEY_ID...; the credentials file; AWS_WEB_IDENTITY_TOKEN_FILE;
// AWS_CONTAINER_CREDENTIALS_*; the instance's role by IMDSv2. None: anonymous.
class CredentialChain final : public CredentialSource {
 public:
  CredentialChain(CredentialOptions options, net::HttpClient& client, io::FileSystem& files, Clock& clock);
  Result<Credentials> Get(const Cancel& cancel) override;
  bool Forget() override;

 private:
  std::string Env(const std::string& name) const;
  Result<std::optional<Credentials>> FromFile();
  Result<Credentials> FromWebIdentity(const Cancel& cancel);
  Result<Credentials> FromContainer(const std::string& url, const Cancel& cancel);
  Result<Credentials> FromInstance(const Cancel& cancel);
  Result<Credentials> Fetch(const Cancel& cancel);
  Result<net::HttpAnswer> Ask(const net::HttpCall& call, const Cancel& cancel);

  const CredentialOptions options_;
  net::HttpClient& client_;
  io::FileSystem& files_;
  Clock& clock_;
  Renewed<Credentials> current_;
};

// The [profile] of an AWS credentials file; nullopt when it has none.
std::optional<Credentials> ParseCredentialsFile(std::string_view text, std::string_view profile);

}  // namespace gauntlet::objstore
