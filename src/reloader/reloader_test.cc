#include "reloader/reloader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "io/fake_file_system.h"
#include "io/file_system.h"

namespace gauntlet::reloader {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::hours kNever{10};

// A server that reads one file when it is told to, and refuses those that contain "broken".
class Server : public ReloadTrigger {
 public:
  explicit Server(fs::path file) : file_(std::move(file)) {}
  Status Reload(const Cancel&) override {
    std::ifstream in(file_);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    MutexLock lock(mutex_);
    told_.push_back(text);
    changed_.NotifyAll();
    if (text.find("broken") != std::string::npos) return {Code::kUnavailable, "refused"};
    loaded_ = text;
    return Status();
  }
  std::string method() const override { return "http"; }

  // Waits until it was told so many times; what it was told.
  std::vector<std::string> Told(size_t times) {
    MutexLock lock(mutex_);
    auto end = steady_clock::now() + std::chrono::seconds(30);
    while (told_.size() < times && changed_.WaitUntil(mutex_, end)) {
    }
    return told_;
  }
  std::string loaded() {
    MutexLock lock(mutex_);
    return loaded_;
  }

 private:
  const fs::path file_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> told_ GN_GUARDED_BY(mutex_);
  std::string loaded_ GN_GUARDED_BY(mutex_);
};

class ReloaderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "reloader-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    fs::create_directories(root_ / "in");
    fs::create_directories(root_ / "out");
    options_.config_file = root_ / "in/p.yml";
    options_.output_file = root_ / "out/p.yml";
    options_.watch_interval = options_.retry_interval = kNever;
    options_.settle = milliseconds(1);
    server_ = std::make_unique<Server>(options_.output_file);
  }
  void TearDown() override {
    Stop();
    fs::remove_all(root_);
  }

  // As Kubernetes does: a folder with the files, links to it that are switched, links to the files through it.
  void Swap(const std::string& text) {
    fs::path version = root_ / "in" / (".." + std::to_string(++version_));
    fs::create_directory(version);
    std::ofstream(version / "p.yml") << text;
    fs::create_directory_symlink(version.filename(), root_ / "in/..data_tmp");
    fs::rename(root_ / "in/..data_tmp", root_ / "in/..data");
    if (version_ == 1) fs::create_symlink("..data/p.yml", root_ / "in/p.yml");
    if (version_ > 1) fs::remove_all(root_ / "in" / (".." + std::to_string(version_ - 1)));
  }
  Status Start() {
    reloader_ = std::make_unique<Reloader>(options_, io::RealFileSystem(), *server_, SystemClock(), registry_,
                                           telemetry::Logger::Discard());
    GN_TRY(reloader_->Prepare());
    source_ = std::make_unique<CancelSource>();
    thread_ = std::thread([this] { reloader_->Run(source_->cancel()); });
    return Status();
  }
  void Stop() {
    if (!thread_.joinable()) return;
    source_->Stop();
    thread_.join();
  }
  double Metric(const std::string& name) const {
    std::string all = "\n" + registry_.Expose(false), line = "\nthanos_sidecar_reloader_" + name + " ";
    size_t at = all.find(line);
    return at == std::string::npos ? -1 : std::strtod(all.c_str() + at + line.size(), nullptr);
  }
  // Until the metric is as large.
  bool Reaches(const std::string& name, double value) const {
    auto end = steady_clock::now() + std::chrono::seconds(30);
    while (Metric(name) < value && steady_clock::now() < end) std::this_thread::yield();
    return Metric(name) >= value;
  }

  fs::path root_;
  int version_ = 0;
  ReloaderOptions options_;
  telemetry::Registry registry_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<CancelSource> source_;
  std::thread thread_;
};

TEST_F(ReloaderTest, TheServerIsToldAtTheStartAndAtEachSwap) {
  Swap("one");
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(server_->Told(1), std::vector<std::string>{"one"});
  for (int i = 2; i <= 6; ++i) {
    Swap("version " + std::to_string(i));
    EXPECT_EQ(server_->Told(i).back(), "version " + std::to_string(i));
  }
  Stop();
  EXPECT_EQ(Metric("reloads_total"), 6);
  EXPECT_EQ(Metric("reloads_failed_total"), 0);
  EXPECT_EQ(Metric("last_reload_successful"), 1);
  EXPECT_NEAR(Metric("last_reload_success_timestamp_seconds"), static_cast<double>(SystemClock().NowMs()) / 1000, 60);
  EXPECT_GE(Metric("watch_events_total"), 5);
  EXPECT_EQ(Metric("info{method=\"http\"}"), 1);
}

TEST_F(ReloaderTest, FilesOfTheSameContentsAreNoChange) {
  Swap("one");
  ASSERT_TRUE(Start().ok());
  server_->Told(1);
  double applied = Metric("config_apply_operations_total");
  Swap("one");
  EXPECT_TRUE(Reaches("config_apply_operations_total", applied + 1));
  Swap("two");
  EXPECT_EQ(server_->Told(2), (std::vector<std::string>{"one", "two"}));
}

TEST_F(ReloaderTest, WhatIsRefusedIsToldAgainAsSoonAsItIsMended) {
  Swap("one");
  ASSERT_TRUE(Start().ok());
  server_->Told(1);
  Swap("broken");
  EXPECT_EQ(server_->Told(2).back(), "broken");
  EXPECT_TRUE(Reaches("reloads_failed_total", 1));
  EXPECT_EQ(Metric("last_reload_successful"), 0);
  EXPECT_EQ(server_->loaded(), "one");
  Swap("one");  // what the server has already: it must still learn that its file is good
  EXPECT_EQ(server_->Told(3).back(), "one");
  EXPECT_TRUE(Reaches("last_reload_successful", 1));
}

TEST_F(ReloaderTest, WhatIsRefusedIsToldAgainAtTheRetryInterval) {
  options_.retry_interval = milliseconds(5);
  Swap("broken");
  ASSERT_TRUE(Start().ok());
  server_->Told(4);
  Swap("mended");
  EXPECT_TRUE(Reaches("last_reload_successful", 1));
  EXPECT_EQ(server_->loaded(), "mended");
}

TEST_F(ReloaderTest, AnUnsetVariableChangesNothing) {
  Swap("one");
  ASSERT_TRUE(Start().ok());
  server_->Told(1);
  Swap("two $(RELOADER_TEST_NOT_SET)");
  EXPECT_TRUE(Reaches("config_apply_operations_failed_total", 1));
  EXPECT_EQ(Metric("config_environment_variable_expansion_errors"), 1);
  EXPECT_EQ(*io::RealFileSystem().ReadFile(options_.output_file), "one");
  Swap("three");
  EXPECT_EQ(server_->Told(2), (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(Metric("config_environment_variable_expansion_errors"), 0);
}

TEST_F(ReloaderTest, RulesInFoldersCountWithoutAConfiguration) {
  options_.config_file = options_.output_file = "";
  options_.folders = {root_ / "in", root_ / "out"};
  Swap("rules");
  ASSERT_TRUE(Start().ok());
  server_->Told(1);
  fs::create_directories(root_ / "out/new");
  std::ofstream(root_ / "out/new/p.yml") << "late";
  server_->Told(2);
  EXPECT_TRUE(Reaches("watches", 4)) << "in, in/..1, out, out/new";
  std::ofstream(root_ / "out/new/q.yml") << "later";
  server_->Told(3);
}

TEST_F(ReloaderTest, WithoutAnythingToStartFromItDoesNotStart) {
  EXPECT_EQ(Start().code(), Code::kNotFound);
  Swap("$(RELOADER_TEST_NOT_SET)");
  EXPECT_EQ(Start().code(), Code::kInvalid);
  EXPECT_FALSE(fs::exists(options_.output_file));
  options_.folders = {root_ / "absent"};
  EXPECT_EQ(Start().code(), Code::kNotFound);
}

TEST_F(ReloaderTest, AnIntervalOfZeroWritesOnceAndEnds) {
  options_.watch_interval = milliseconds(0);
  Swap("one");
  ASSERT_TRUE(Start().ok());
  thread_.join();
  EXPECT_EQ(*io::RealFileSystem().ReadFile(options_.output_file), "one");
  EXPECT_TRUE(server_->Told(0).empty());
}

TEST(Reloader, TheOutputIsOldOrNewWhereverItEnds) {
  for (int64_t fail = 1;; ++fail) {
    io::FakeFileSystem files;
    ASSERT_TRUE(files.MakeDirectories("/etc").ok() && files.SyncDirectory("/").ok());
    ASSERT_TRUE(files.WriteAtomically("/etc/in.yml", "new").ok());
    ASSERT_TRUE(files.WriteAtomically("/etc/out.yml", "old").ok());
    Server server("");
    telemetry::Registry registry;
    ReloaderOptions options;
    options.config_file = "/etc/in.yml";
    options.output_file = "/etc/out.yml";
    Reloader reloader(options, files, server, SystemClock(), registry, telemetry::Logger::Discard());
    files.FailCall(fail, Status(Code::kUnavailable, "killed"), true);
    bool ok = reloader.Prepare().ok();
    files.FailNone();
    files.Crash();
    std::string text = *files.ReadFile("/etc/out.yml");
    EXPECT_TRUE(text == "new" || (!ok && text == "old")) << fail << ": " << text;
    if (ok) {
      EXPECT_GT(fail, 4) << "nothing failed";
      break;
    }
  }
}

}  // namespace
}  // namespace gauntlet::reloader
