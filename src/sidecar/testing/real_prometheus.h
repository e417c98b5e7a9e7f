// RealPrometheus: the machine's `prometheus` on a folder of blocks, for tests: what only the real one can prove.
//
// Threads: one thread at a time; its address may be used from any.     Owns: the process, its folder

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace gauntlet::sidecar {

class RealPrometheus {
 public:
  RealPrometheus();
  ~RealPrometheus();
  RealPrometheus(const RealPrometheus&) = delete;
  RealPrometheus& operator=(const RealPrometheus&) = delete;

  // Why there is none on this machine, in one line; "" = there is.
  static std::string Missing();

  // Where blocks go, before the start.
  const std::filesystem::path& data() const { return data_; }
  // Makes blocks of samples in OpenMetrics' text, with promtool.
  Status AddBlocks(const std::string& open_metrics);
  // Starts it and waits until it answers; nothing is scraped. `config` is appended to its configuration.
  Status Start(LabelsView external_labels, const std::vector<std::string>& flags = {}, const std::string& config = "");

  const std::string& url() const { return url_; }

 private:
  std::filesystem::path folder_, data_;
  pid_t pid_ = -1;
  std::string url_;
};

}  // namespace gauntlet::sidecar
