// The contract over Azurite, Microsoft's emulator (npm package azurite), which checks shared keys.

#include "io/file_system.h"
#include "objstore/config.h"
#include "objstore/testing/bucket_contract.h"
#include "objstore/testing/child_server.h"

namespace gauntlet::objstore {
namespace {

constexpr char kKey[] = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

// One for the process.
struct Azurite {
  std::string program = ChildServer::Find("azurite-blob");
  int port = ChildServer::FreePort();
  std::unique_ptr<ChildServer> server;
  Azurite() {
    if (program.empty()) return;
    server = std::make_unique<ChildServer>(
        std::vector<std::string>{program, "--blobHost", "127.0.0.1", "--blobPort", std::to_string(port),
                                 "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"},
        port);
  }
};

std::string Yaml(int port, const std::string& container, const std::string& key = kKey) {
  return "type: AZURE\nconfig:\n  storage_account: devstoreaccount1\n  container: " + container +
         "\n  storage_connection_string: \"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=" +
         key + ";BlobEndpoint=http://127.0.0.1:" + std::to_string(port) + "/devstoreaccount1;\"\n";
}

Provided Make() {
  static Azurite azurite;
  static int containers = 0;
  if (azurite.server == nullptr || !azurite.server->ok()) {
    return {nullptr, "azurite-blob is not in the PATH, or does not start (npm install -g azurite)", nullptr};
  }
  auto pool = std::make_shared<ThreadPool>("azure", 8);
  auto bucket = MakeBucket(Yaml(azurite.port, "container-" + std::to_string(++containers)),
                           {*pool, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
  EXPECT_TRUE(bucket.ok()) << bucket.status().message();
  if (!bucket.ok()) return {nullptr, "no bucket", nullptr};
  // The wrong key is refused: the signature is looked at.
  EXPECT_EQ(MakeBucket(Yaml(azurite.port, "other", "d3Jvbmc="),
                       {*pool, io::RealFileSystem(), telemetry::Logger::Discard(), "test"})
                .status()
                .code(),
            Code::kDenied);
  return {*std::move(bucket), "", pool};
}

INSTANTIATE_TEST_SUITE_P(Azure, BucketContract, testing::Values(Provider{"Azurite", [] { return Make(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gauntlet::objstore
