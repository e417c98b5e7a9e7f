// Downsamples the block FROM/ULID to 5 minutes, on one thread, into the folder TO:
//   downsample_block FROM/ULID TO
// Prints raw samples, samples of the result, CPU seconds and wall seconds.

#include <fmt/core.h>
#include <sys/resource.h>

#include <chrono>
#include <string>

#include "io/file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/compact/downsample_block.h"

namespace {

using namespace gauntlet;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Status Run(const std::string& from, const std::string& to) {
  io::FileSystem& files = io::RealFileSystem();
  GN_TRY(files.MakeDirectories(to));
  double cpu = CpuSeconds();
  auto begin = std::chrono::steady_clock::now();
  GN_ASSIGN(auto block, tsdb::Block::Open(files, from));
  tsdb::BlockMeta meta = block->meta();
  GN_ASSIGN(auto sink, tsdb::LocalBlockSink::Create(files, to, meta));
  tsdb::LocalBlockSource source(block);
  GN_ASSIGN(auto made, tsdb::DownsampleBlock(source, tsdb::DownsampleOptions(), *sink, Cancel()));
  double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{} {} {:.3f} {:.3f}\n", meta.stats.samples, made ? made->stats.samples : 0, CpuSeconds() - cpu, wall);
  return Status();
}

}  // namespace

int main(int argc, char** argv) {
  Status status = argc == 3 ? Run(argv[1], argv[2]) : Status(Code::kInvalid, "usage: downsample_block FROM/ULID TO");
  if (!status.ok()) fmt::print(stderr, "{}\n", status.message());
  return status.ok() ? 0 : 1;
}
