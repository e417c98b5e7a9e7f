// BlockSink: takes the symbols and series of a block that is being made. Until Finish() no reader sees anything of it;
// a sink that goes without has left nothing.
//
// Upstream: prometheus tsdb/compact.go (write)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/block/block_writer.h"

namespace gauntlet::tsdb {

class BlockSink {
 public:
  virtual ~BlockSink() = default;

  // As it was given, with the counts so far.
  virtual const BlockMeta& meta() const = 0;
  // All strings of the labels, ascending, each once, before the first series. They are numbered from 0.
  virtual Status AddSymbol(std::string_view symbol) = 0;
  virtual std::string_view symbol(uint32_t number) const = 0;
  // In ascending order of labels, which are the numbers of names and values in turn; the chunks by time, without
  // overlap. Borrows the bytes for the time of the call.
  virtual Status AddSeries(std::span<const uint32_t> labels, std::span<const BlockChunk> chunks,
                           const Cancel& cancel) = 0;
  // Afterwards the block is complete, durable and in place. The meta as it was written.
  virtual Result<BlockMeta> Finish(const Cancel& cancel) = 0;

  // For errors: {a="b"}.
  std::string LabelText(std::span<const uint32_t> labels) const;
};

// A block in a folder of this machine.
class LocalBlockSink : public BlockSink {
 public:
  // Makes `parent`/ULID of the meta.
  static Result<std::unique_ptr<LocalBlockSink>> Create(io::FileSystem& files, const std::string& parent,
                                                        BlockMeta meta, uint64_t segment_bytes_max = kSegmentBytesMax);

  const BlockMeta& meta() const override { return writer_->meta(); }
  Status AddSymbol(std::string_view symbol) override { return writer_->AddSymbol(symbol); }
  std::string_view symbol(uint32_t number) const override { return writer_->symbol(number); }
  Status AddSeries(std::span<const uint32_t> labels, std::span<const BlockChunk> chunks, const Cancel& cancel) override;
  Result<BlockMeta> Finish(const Cancel& cancel) override;
  // See BlockWriter.
  void KeepSampleCounts() { writer_->KeepSampleCounts(); }

 private:
  explicit LocalBlockSink(std::unique_ptr<BlockWriter> writer) : writer_(std::move(writer)) {}

  std::unique_ptr<BlockWriter> writer_;
};

}  // namespace gauntlet::tsdb
