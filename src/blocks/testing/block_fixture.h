// Blocks for tests of what looks at metas only: a meta.json and files with a few bytes.
//
// Threads: free functions.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/ulid.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "objstore/bucket.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::blocks {

// The n-th block, made at `unix_ms`.
inline Ulid TestUlid(uint8_t n, int64_t unix_ms = 1'767'571'200'000) {
  Ulid id;
  for (int i = 0; i < 6; ++i) id.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(unix_ms >> (8 * (5 - i)));
  id.bytes[15] = n;
  return id;
}

inline Meta TestMeta(const Ulid& id, int64_t mint_ms = 0, int64_t maxt_ms = 7'200'000,
                     std::map<std::string, std::string> labels = {{"cluster", "eu"}}) {
  Meta meta;
  meta.block.ulid = id;
  meta.block.mint_ms = mint_ms;
  meta.block.maxt_ms = maxt_ms;
  meta.block.stats.samples = 10;
  meta.block.stats.series = 1;
  meta.block.stats.chunks = 1;
  meta.block.compaction.sources = {id};
  meta.thanos.labels = std::move(labels);
  meta.thanos.source = kSidecarSource;
  return meta;
}

inline void PutBlock(objstore::Bucket& bucket, const Meta& meta) {
  const std::string dir = meta.block.ulid.ToString() + "/";
  GN_CHECK(objstore::WriteObject(bucket, dir + "chunks/000001", "chunk", Cancel()).ok());
  GN_CHECK(objstore::WriteObject(bucket, dir + "index", "index", Cancel()).ok());
  GN_CHECK(objstore::WriteObject(bucket, dir + "meta.json", FormatMeta(meta), Cancel()).ok());
}

inline void WriteBlock(io::FileSystem& files, const std::string& parent, const Meta& meta) {
  const std::string dir = parent + "/" + meta.block.ulid.ToString();
  GN_CHECK(files.MakeDirectories(dir + "/chunks").ok());
  GN_CHECK(files.WriteAtomically(dir + "/chunks/000001", "chunk").ok());
  GN_CHECK(files.WriteAtomically(dir + "/index", "index of " + meta.block.ulid.ToString()).ok());
  GN_CHECK(files.WriteAtomically(dir + "/meta.json", FormatMeta(meta)).ok());
}

// A block that opens: one series. Its counts replace those of the meta.
inline void WriteRealBlock(io::FileSystem& files, const std::string& parent, const Meta& meta) {
  auto writer = tsdb::BlockWriter::Create(files, parent, meta.block);
  GN_CHECK(writer.ok());
  for (const char* symbol : {"job", "x"}) GN_CHECK((*writer)->AddSymbol(symbol).ok());
  tsdb::XorAppender appender;
  for (int64_t t = meta.block.mint_ms; t < meta.block.maxt_ms; t += 600'000) appender.Append(t, 1);
  std::string bytes = appender.Release();
  std::vector<tsdb::BlockChunk> chunks = {{meta.block.mint_ms, meta.block.maxt_ms - 1, {tsdb::Encoding::kXor, bytes}}};
  GN_CHECK((*writer)->AddSeries(Labels::From({{"job", "x"}}), chunks).ok());
  GN_CHECK((*writer)->Finish({}).ok());
}

}  // namespace gauntlet::blocks
