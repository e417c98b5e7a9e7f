#include "discovery/file_discovery.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "io/file_system.h"

namespace gauntlet::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Strings = std::vector<std::string>;

class FileDiscoveryTest : public testing::Test {
 protected:
  FileDiscoveryTest() {
    char name[] = "/tmp/file_discovery.XXXXXX";
    dir_ = mkdtemp(name);
  }
  ~FileDiscoveryTest() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/.new") << text;
    std::filesystem::rename(dir_ + "/.new", dir_ + "/" + name);
  }
  std::unique_ptr<FileDiscovery> Make(Strings files, milliseconds interval = milliseconds(3'600'000)) {
    for (auto& file : files) file = dir_ + "/" + file;
    auto made = FileDiscovery::Make({files, interval}, io::RealFileSystem(), registry_, telemetry::Logger::Discard());
    EXPECT_TRUE(made.ok()) << made.status().message();
    return *std::move(made);
  }
  double ReadErrors() {
    return registry_.MakeCounter("prometheus_sd_file_read_errors_total", "The number of File-SD read errors.").value();
  }

  std::string dir_;
  telemetry::Registry registry_;
};

// What a set was changed to, in order, waited for.
class Changes {
 public:
  explicit Changes(TargetSet& set)
      : subscription_(set.OnChange([this](const Strings& addresses) {
          MutexLock lock(mutex_);
          latest_ = addresses;
          changed_.NotifyAll();
        })) {}
  bool Await(const Strings& wanted) {
    MutexLock lock(mutex_);
    auto end = steady_clock::now() + seconds(20);
    while (latest_ != wanted && changed_.WaitUntil(mutex_, end)) {
    }
    return latest_ == wanted;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  Strings latest_ GN_GUARDED_BY(mutex_);
  TargetSet::Subscription subscription_;
};

TEST_F(FileDiscoveryTest, ReadsFilesAndGlobs) {
  Write("a.json", R"([{"targets": ["a:1", "b:1"], "labels": {"x": "y"}}])");
  Write("b.yml", "- targets: [b:1, c:1]\n");
  Write("b.txt", "not ours");
  Write("other.yaml", "- targets: [d:1]\n");
  auto discovery = Make({"a.json", "b*.yml", "absent.json", "no/such/*.json"});
  ASSERT_TRUE(discovery->Refresh().ok());
  EXPECT_EQ(discovery->targets().Get(), (Strings{"a:1", "b:1", "c:1"}));
  ASSERT_EQ(discovery->groups().size(), 2u);
  EXPECT_EQ(discovery->groups()[0].source, dir_ + "/a.json:0");
  EXPECT_EQ(discovery->groups()[0].labels[0].second, "y");
}

TEST_F(FileDiscoveryTest, BadFileKeepsWhatItHad) {
  Write("a.json", R"([{"targets": ["a:1"]}])");
  Write("b.json", R"([{"targets": ["b:1"]}])");
  auto discovery = Make({"*.json"});
  ASSERT_TRUE(discovery->Refresh().ok());
  Write("a.json", R"([{"targets": ["a:1")");
  Write("b.json", R"([{"targets": ["b:2"]}])");
  Write("c.json", "nonsense");
  Status status = discovery->Refresh();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(dir_ + "/a.json"), std::string::npos) << status.message();
  EXPECT_EQ(discovery->targets().Get(), (Strings{"a:1", "b:2"}));
  EXPECT_EQ(ReadErrors(), 2);
  Write("a.json", "[]");
  std::filesystem::remove(dir_ + "/c.json");
  EXPECT_TRUE(discovery->Refresh().ok());
  EXPECT_EQ(discovery->targets().Get(), Strings{"b:2"});
}

TEST_F(FileDiscoveryTest, RemovedFileTakesItsTargetsAlong) {
  Write("a.json", R"([{"targets": ["a:1"]}])");
  auto discovery = Make({"a.json"});
  ASSERT_TRUE(discovery->Refresh().ok());
  EXPECT_NE(registry_.Expose(false).find("prometheus_sd_file_mtime_seconds{filename=\"" + dir_ + "/a.json\"}"),
            std::string::npos);
  std::filesystem::remove(dir_ + "/a.json");
  ASSERT_TRUE(discovery->Refresh().ok());
  EXPECT_EQ(discovery->targets().Get(), Strings{});
  EXPECT_EQ(registry_.Expose(false).find("a.json"), std::string::npos);
}

TEST_F(FileDiscoveryTest, RunFollowsChanges) {
  Write("a.json", R"([{"targets": ["a:1"]}])");
  auto discovery = Make({"*.json"});
  Changes changes(discovery->targets());
  CancelSource source;
  std::thread runner([&] { discovery->Run(source.cancel()); });
  EXPECT_TRUE(changes.Await({"a:1"}));
  Write("a.json", R"([{"targets": ["a:2"]}])");
  EXPECT_TRUE(changes.Await({"a:2"}));
  Write("b.json", R"([{"targets": ["b:1"]}])");
  EXPECT_TRUE(changes.Await({"a:2", "b:1"}));
  std::ofstream(dir_ + "/b.json") << R"([{"targets": ["b:2"]}])";  // written in place
  EXPECT_TRUE(changes.Await({"a:2", "b:2"}));
  std::filesystem::remove(dir_ + "/a.json");
  EXPECT_TRUE(changes.Await({"b:2"}));
  source.Stop();
  runner.join();
}

TEST_F(FileDiscoveryTest, RunFollowsASwitchedLink) {
  // As Kubernetes mounts a config map: the files are links into "..data", which is a link to a directory.
  std::filesystem::create_directories(dir_ + "/..one");
  std::filesystem::create_directories(dir_ + "/..two");
  std::ofstream(dir_ + "/..one/a.json") << R"([{"targets": ["a:1"]}])";
  std::ofstream(dir_ + "/..two/a.json") << R"([{"targets": ["a:2"]}])";
  std::filesystem::create_symlink("..one", dir_ + "/..data");
  std::filesystem::create_symlink("..data/a.json", dir_ + "/a.json");
  auto discovery = Make({"a.json"});
  Changes changes(discovery->targets());
  CancelSource source;
  std::thread runner([&] { discovery->Run(source.cancel()); });
  EXPECT_TRUE(changes.Await({"a:1"}));
  std::filesystem::create_symlink("..two", dir_ + "/..data_tmp");
  std::filesystem::rename(dir_ + "/..data_tmp", dir_ + "/..data");
  EXPECT_TRUE(changes.Await({"a:2"}));
  source.Stop();
  runner.join();
}

TEST_F(FileDiscoveryTest, RunReadsAtTheIntervalWhatCannotBeWatched) {
  auto discovery = Make({"later/*.json"}, milliseconds(10));
  Changes changes(discovery->targets());
  CancelSource source;
  std::thread runner([&] { discovery->Run(source.cancel()); });
  std::filesystem::create_directories(dir_ + "/later");
  Write("later/a.json", R"([{"targets": ["a:1"]}])");
  EXPECT_TRUE(changes.Await({"a:1"}));
  source.Stop();
  runner.join();
}

TEST_F(FileDiscoveryTest, PathsThatPrometheusRefusesAreRefused) {
  for (const char* path : {"", "a", "a.txt", "*/a.json", "a*/b.json", "a.json/"}) {
    EXPECT_EQ(
        FileDiscovery::Make({{path}}, io::RealFileSystem(), registry_, telemetry::Logger::Discard()).status().code(),
        Code::kInvalid)
        << path;
  }
  EXPECT_FALSE(FileDiscovery::Make({}, io::RealFileSystem(), registry_, telemetry::Logger::Discard()).ok());
}

}  // namespace
}  // namespace gauntlet::discovery
