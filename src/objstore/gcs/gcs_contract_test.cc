// The contract over an emulator of Google Cloud Storage (PyPI package gcp-storage-emulator), which asks for no token.

#include <cstdlib>

#include "io/file_system.h"
#include "net/http/client.h"
#include "objstore/config.h"
#include "objstore/testing/bucket_contract.h"
#include "objstore/testing/child_server.h"

namespace gauntlet::objstore {
namespace {

struct Emulator {
  std::string program = ChildServer::Find("gcp-storage-emulator");
  int port = ChildServer::FreePort();
  std::unique_ptr<ChildServer> server;
  Emulator() {
    if (program.empty()) return;
    server = std::make_unique<ChildServer>(
        std::vector<std::string>{program, "start", "--host=127.0.0.1", "--port=" + std::to_string(port), "--in-memory"},
        port);
  }
};

Provided Make() {
  static Emulator emulator;
  static int buckets = 0;
  if (emulator.server == nullptr || !emulator.server->ok()) {
    return {nullptr, "gcp-storage-emulator is not in the PATH, or does not start (pip install gcp-storage-emulator)",
            nullptr};
  }
  std::string url = "http://127.0.0.1:" + std::to_string(emulator.port);
  std::string name = "bucket-" + std::to_string(++buckets);
  setenv("STORAGE_EMULATOR_HOST", url.c_str(), 1);
  auto client = *net::HttpClient::Make({});
  net::HttpCall make{.method = "POST", .url = url + "/storage/v1/b?project=p", .body = "{\"name\":\"" + name + "\"}"};
  make.headers.Add("Content-Type", "application/json");
  auto made = client->Do(make, Cancel());
  EXPECT_TRUE(made.ok() && made->status == 200);
  auto pool = std::make_shared<ThreadPool>("gcs", 8);
  auto bucket = MakeBucket("type: GCS\nconfig:\n  bucket: " + name + "\n  chunk_size_bytes: 262144\n",
                           {*pool, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
  EXPECT_TRUE(bucket.ok()) << bucket.status().message();
  return {*std::move(bucket), "", pool, true, true};
}

INSTANTIATE_TEST_SUITE_P(Gcs, BucketContract, testing::Values(Provider{"Emulator", [] { return Make(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gauntlet::objstore
